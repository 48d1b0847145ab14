rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", grace = "30s", learn = "90s" },
  alert = incident { title = "x" },
}
--! 4:57: learn must be longer than every and grace together; a key would be off the list before it is missing
