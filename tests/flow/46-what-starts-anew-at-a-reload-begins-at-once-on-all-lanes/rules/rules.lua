-- SPDX-License-Identifier: Apache-2.0
-- ops/started becomes another detector, ops/guarded gets a guard, the guard of ops/tighter becomes shorter;
-- ops/coming comes later. Events wait at the reload, each on the lane of its host.
local slow = { time = "ts", lateness = "1m", idle = "10m" }

rule "ops/started" {
  key = { "host" }, clock = { time = "ts", lateness = "2m", idle = "10m" },
  inputs = { hb = from "heartbeats" {} },
  detect = level { of = count "hb", over = "10m", crit = { above = 1000 } },
  alert = incident {},
}

rule "ops/guarded" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "40s", learn = "1h" },
  alert = incident { title = "${host} silent for ${silent}" },
}

rule "ops/tighter" {
  key = { "host" }, clock = slow,
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "5m", learn = "1h", source_guard = "30s" },
  alert = incident { title = "${host} silent for ${silent}" },
}
