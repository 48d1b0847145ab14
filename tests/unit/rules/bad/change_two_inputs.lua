rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", "ev", of = "state" },
  alert = incident { title = "x" },
}
--! 4:19: change takes one input: change { "ev", of = "state" }
