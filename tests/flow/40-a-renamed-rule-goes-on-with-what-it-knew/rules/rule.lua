-- SPDX-License-Identifier: Apache-2.0
rule "ops/errors" {
  key = { "service" },
  dedup = { by = "event_id", within = "10m" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "err:${service}", title = "${value}" },
}

rule "ops/burst" {
  key = { "service" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { at_least = 3 } },
  alert = incident { title = "${value}" },
}

rule "ops/release" {
  key = { "service" },
  inputs = { deploy = from "deploys" {}, err = from "requests" { code = gte(500) } },
  detect = seq { { "deploy", as = "d" }, { "err", as = "e", within = "5m" } },
  alert = incident { id = "release:${service}:${d.version}", title = "${d.version} ${e.code}", severity = "warn" },
}
