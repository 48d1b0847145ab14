-- SPDX-License-Identifier: Apache-2.0
-- Two a minute of each host, three a minute of all that passes; a rule that reads them sees no more than that.
rule "shop/each" {
  owner = "shop", key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { gap = "10s", emit = "first" },
  emit = to "found" { throttle = { max = 2, per = "1m" }, n = "${n}" },
}
rule "shop/passed" {
  owner = "shop",
  inputs = { ev = from "events" { n = gte(0) } },
  emit = to "passed" { throttle = { max = 3, per = "1m" }, seen = true },
}
rule "shop/reader" {
  owner = "shop", key = {},
  inputs = { p = from "passed" {} },
  detect = level { of = count "p", every = "1m", info = { at_least = 1 } },
  alert = incident { id = "reader", title = "${value} passed", notify = "changes" },
}
