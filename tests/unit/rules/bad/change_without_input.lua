rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { of = "state", to = "up" },
  alert = incident { title = "x" },
}
--! 4:19: change takes an input, or several: change { "ev", of = "state" }
