-- SPDX-License-Identifier: Apache-2.0
-- Two rules with clocks of their own say what is wrong with a host in one stream; two rules read it, one
-- of them together with a stream of the configuration.
rule "ops/a_requests" {
  owner = "ops", key = { "host" }, clock = { time = "ts", lateness = "2s" },
  inputs = { err = from "requests" { code = gte(500) } },
  detect = level { of = count "err", over = "20s", warn = { at_least = 2 }, crit = { at_least = 4 } },
  emit = to "wrong" { zone = "${zone}", what = "requests", n = "${value}" },
}

rule "ops/b_checks" {
  owner = "ops", key = { "labels.host" }, clock = { time = "ts" },
  inputs = { bad = from "checks" { ok = false } },
  detect = level { of = count "bad", every = "30s", warn = { at_least = 3 } },
  emit = to "wrong" { host = "${labels.host}", what = "checks", n = "${value}" },
}

rule "ops/c_both" {
  owner = "ops", key = { "host" },
  inputs = { w = from "wrong" { level = oneof("warn", "crit") } },
  detect = level { of = count "w", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "both:${host}", title = "${host}: ${what}, ${value} times" },
  emit = to "bad_hosts" { last = "${what}" },
}

rule "ops/d_with_checks" {
  owner = "ops", key = { "host" }, clock = { time = "ts", lateness = "1s" },
  inputs = { w = from "wrong" {}, r = from "requests" { code = 200 } },
  detect = level { of = count "w" / count "r", over = "40s", min = 3, warn = { above = 1 } },
  alert = incident { id = "share:${host}", title = "${host}: ${value}" },
}

rule "ops/e_fleet" {
  owner = "ops", key = {},
  inputs = { b = from "bad_hosts" {}, w = from "wrong" { level = "crit" } },
  detect = level { of = count "b" + count "w", over = "1m", crit = { at_least = 6 } },
  alert = incident { id = "fleet", title = "${value} at once" },
}
