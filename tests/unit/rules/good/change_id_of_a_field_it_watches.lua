rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = { "state", "zone" }, from = "up", initial = "up", hold = "5s" },
  alert = incident { id = "state:${host}:${zone}", title = "${field}: ${from} -> ${to}, first seen on ${first.agent}" },
}
