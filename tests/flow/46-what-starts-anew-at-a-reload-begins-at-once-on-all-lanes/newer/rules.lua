-- SPDX-License-Identifier: Apache-2.0
local slow = { time = "ts", lateness = "1m", idle = "10m" }

rule "ops/started" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "50s", expect = { table = "inventory", key = "host" }, source_guard = "8s" },
  alert = incident { title = "${host} silent for ${silent}" },
}

rule "ops/coming" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "50s", expect = { table = "inventory", key = "host" }, source_guard = "20s" },
  alert = incident { title = "${host} silent for ${silent}" },
}

rule "ops/guarded" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "40s", learn = "1h", source_guard = "30s" },
  alert = incident { title = "${host} silent for ${silent}" },
}

rule "ops/tighter" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "5m", learn = "1h", source_guard = "10s" },
  alert = incident { title = "${host} silent for ${silent}" },
}
