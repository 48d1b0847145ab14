-- SPDX-License-Identifier: Apache-2.0
-- A recording rule: a ratio every half minute, nothing where nothing was asked for, and a rule that reads it.
rule "shop/ratio" {
  owner = "shop", key = { "service" }, forget = "2m",
  inputs = { req = from "requests" {} },
  detect = measure { of = { ratio = count("req", { code = gte(500) }) / count "req", slow = max("req", "ms") }, every = "30s" },
  emit = to "ratios" { zone = "${zone}" },
}
rule "shop/sliding" {
  owner = "shop", key = { "service" },
  inputs = { req = from "requests" {} },
  detect = measure { of = count "req", over = "20s" },
  emit = to "sliding" { from_ms = "${start}" },
}
rule "shop/worst" {
  owner = "shop", key = {},
  inputs = { r = from "ratios" {} },
  detect = level { of = max("r", "ratio"), over = "1m", crit = { above = 0.5 } },
  alert = incident { id = "worst", title = "${value} of ${service} fail" },
}
