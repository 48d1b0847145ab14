-- SPDX-License-Identifier: Apache-2.0
-- Errors by host, hosts in trouble by zone, zones in trouble: each rule reads what the one before it
-- emits, under its own key.
rule "shop/c_fleet" {
  owner = "shop", key = {},
  inputs = { zone = from "zones" { level = "crit" } },
  detect = level { of = sum("zone", "bad"), over = "10m", crit = { at_least = 2 } },
  alert = incident { id = "fleet", title = "${value} zones are in trouble" },
}

rule "shop/b_zone" {
  owner = "shop", key = { "zone" },
  inputs = { host = from "hosts" { level = "crit" } },
  detect = level { of = count "host", over = "5m", crit = { at_least = 2 } },
  emit = to "zones" { bad = 1, hosts = "${value}", note = "${zone} has ${value} bad hosts" },
}

rule "shop/a_host" {
  owner = "shop", key = { "host" },
  inputs = { err = from "requests" { code = gte(500) } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 2 } },
  emit = to "hosts" { zone = "${zone}", errors = "${value}" },
}
