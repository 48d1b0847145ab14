rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = { "state", "state", "@time" } },
  alert = incident { title = "x" },
}
--! 4:43: of names 'state' twice
--! 4:52: '@time' is not a field of the event
