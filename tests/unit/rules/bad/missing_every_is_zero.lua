rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "0s" },
  alert = incident { title = "x" },
}
--! 4:28: every must be longer than zero
