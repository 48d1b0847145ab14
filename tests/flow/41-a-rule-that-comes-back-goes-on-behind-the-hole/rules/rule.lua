-- SPDX-License-Identifier: Apache-2.0
rule "ops/heartbeat" {
  key = { "host" },
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "30s", grace = "10s" },
  alert = incident { id = "hb:${host}", title = "${host} is silent" },
}

rule "ops/effect" {
  key = { "service" },
  dedup = { by = "event_id", within = "30m" },
  inputs = { scaled = from "scalings" {}, err = from "requests" { code = gte(500) } },
  detect = join { "scaled", "err", within = { after = "10m" } },
  alert = incident { id = "effect:${service}:${right.event_id}", title = "${left.to} ${right.code}" },
}

rule "ops/quiet_release" {
  key = { "service" },
  inputs = { deploy = from "deploys" {}, rollback = from "rollbacks" {} },
  detect = seq { { "deploy", as = "d" }, { absent = "rollback", lasting = "2m" } },
  alert = incident { id = "quiet:${service}", severity = "info", title = "${d.version} stays" },
}

rule "ops/burst" {
  key = { "service" },
  inputs = { err = from "requests" { code = gte(500) } },
  detect = level { of = count "err", over = "2m", crit = { at_least = 2 } },
  alert = incident { id = "burst:${service}", title = "${value}" },
}
