rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = change { "ev", "req", "ev", of = "state" },
  alert = incident { title = "x" },
}
--! 4:34: change names the input twice
