-- SPDX-License-Identifier: Apache-2.0
-- Both are gone for a while. Behind it, events wait that another rule of the name has let wait, and what the first
-- emits has no clock yet.
rule "ops/heartbeat" {
  key = { "host" }, clock = { time = "ts", lateness = "30s", idle = "10m" },
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "50s", learn = "1h", source_guard = "45s" },
  alert = incident { title = "${host} silent for ${silent}" },
  emit = to "silences" { host = "${host}", rack = "${rack}" },
}

rule "ops/calm" {
  key = { "rack" }, clock = { lateness = "10s", idle = "10m" },
  inputs = { silence = from "silences" {} },
  detect = missing { "silence", every = "40s", learn = "1h" },
  alert = incident { severity = "info", title = "nobody of ${rack} fell silent for ${silent}" },
}
