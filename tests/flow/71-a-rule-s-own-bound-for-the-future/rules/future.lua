-- SPDX-License-Identifier: Apache-2.0
-- One stream, three bounds: what one rule takes for the arrival is five minutes ahead for another, and neither moves
-- the other's clock.
rule "shop/tight" {
  owner = "shop", key = { "host" }, clock = { time = "ts", future = "5s" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", info = { at_least = 1 } },
  alert = incident { id = "tight:${host}", title = "${value} until ${stop}", notify = "changes" },
}
rule "shop/usual" {
  owner = "shop", key = { "host" }, clock = { time = "ts" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", info = { at_least = 1 } },
  alert = incident { id = "usual:${host}", title = "${value} until ${stop}", notify = "changes" },
}
rule "shop/loose" {
  owner = "shop", key = { "host" }, clock = { time = "ts", future = "1h" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", info = { at_least = 1 } },
  alert = incident { id = "loose:${host}", title = "${value} until ${stop}", notify = "changes" },
}
