rule "a/lasting" {
  key = { "k" }, inputs = { ev = from "events" {} },
  detect = change { "ev", of = { "state", "zone" }, from = "up", to = oneof("down", "failed"), hold = "5s" },
  alert = incident { title = "${field}: ${from} -> ${to}, ${first.host} ${host}" },
}
