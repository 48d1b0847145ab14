-- SPDX-License-Identifier: Apache-2.0
-- Renamed: the first as it was, the second with its default id, the third with another text, too.
rule "shop/errors" {
  was = "ops/errors",
  key = { "service" },
  dedup = { by = "event_id", within = "10m" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "err:${service}", title = "${value}" },
}

rule "shop/burst" {
  was = { "ops/bursts", "ops/burst" },
  key = { "service" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { at_least = 3 } },
  alert = incident { title = "${value}" },
}

rule "shop/release" {
  was = "ops/release",
  key = { "service" },
  inputs = { deploy = from "deploys" {}, err = from "requests" { code = gte(500) } },
  detect = seq { { "deploy", as = "d" }, { "err", as = "e", within = "5m" } },
  alert = incident { id = "release:${service}:${d.version}", title = "bad release ${d.version}", severity = "warn" },
}
