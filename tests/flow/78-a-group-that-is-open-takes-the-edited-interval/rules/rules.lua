rule "a/down" {
  key = { "host" },
  inputs = { e = from "events" {} },
  detect = change { "e", of = "state", to = "down", initial = "up" },
  alert = incident { id = "down:${host}", title = "${host} is down", group = { wait = "10s", interval = "1h" } },
}
