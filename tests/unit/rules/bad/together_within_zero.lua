rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, x = from "requests" {} },
  detect = together { "ev", "x", within = "0s" },
  alert = incident {},
}
--! 4:34: within must be longer than zero
