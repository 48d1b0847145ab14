-- Nothing ever came of heartbeats: hosts of the table are missed by the wall, and what the incident waits for
-- (an inhibitor, a reminder) comes by the wall as well.
rule "fleet/heartbeat" {
  key    = { "host" },
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "6s", grace = "2s", expect = { table = "inventory" } },
  alert  = incident {
    id = "hb:${host}", title = "${host} silent for ${silent} s", remind = "1m",
    inhibited_by = { rule = "fleet/dark", equal = { "host" }, wait = "3s" },
  },
}

rule "fleet/dark" {
  key    = { "host" },
  inputs = { hb = from "heartbeats" { kind = "dark" } },
  detect = change { "hb", of = "kind", to = "dark", initial = "lit" },
  alert  = incident {},
}

rule "fleet/reminded" {
  key    = { "host" },
  inputs = { hb = from "heartbeats" {} },
  detect = missing { "hb", every = "6s", grace = "2s", expect = { table = "inventory" } },
  alert  = incident { id = "again:${host}", remind = "10s" },
}
