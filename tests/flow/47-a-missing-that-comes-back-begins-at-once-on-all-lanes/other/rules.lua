-- SPDX-License-Identifier: Apache-2.0
rule "ops/heartbeat" {
  key = { "host" }, clock = { time = "ts", lateness = "2m", idle = "10m" },
  inputs = { hb = from "heartbeats" {} },
  detect = level { of = count "hb", over = "10m", crit = { above = 1000 } },
  alert = incident {},
}
