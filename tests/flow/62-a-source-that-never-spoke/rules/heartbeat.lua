-- SPDX-License-Identifier: Apache-2.0
rule "fleet/heartbeat" {
  owner = "team-infra", key = { "host" },
  inputs = { hb = from "heartbeats" {}, off = from "changes" { kind = "decommissioned" } },
  detect = missing {
    "hb", every = "60s", grace = "2m", source_guard = "1m", stop_on = "off",
    expect = { table = "inventory", where = { state = "running" } },
  },
  alert = incident {
    id = "hb:${host}", severity = "crit", route = "ops",
    title = "${host} in ${rack} silent for ${silent} s",
  },
}
