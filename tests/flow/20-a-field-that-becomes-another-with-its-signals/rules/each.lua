rule "a/each" {
  key = { "k" }, inputs = { ev = from "events" {} },
  detect = change { "ev", of = { "state", "zone" }, initial = "up" },
  alert = incident { title = "${field}: ${from} -> ${to}, ${first.host} ${host}" },
}
