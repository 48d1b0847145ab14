-- SPDX-License-Identifier: Apache-2.0
-- The first event is none of the guarded input; one comes too late, one is a repeat.
rule "ops/heartbeat" {
  key = { "host" }, clock = { time = "ts", lateness = "10s", idle = "2s" },
  inputs = { hb = from "heartbeats" { kind = "beat" }, off = from "heartbeats" { kind = "off" } },
  dedup = { by = "id", within = "10m" },
  detect = missing { "hb", every = "30s", learn = "1h", source_guard = "8s", stop_on = "off" },
  alert = incident { title = "${host} silent for ${silent}" },
}
