rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", "req", every = "1m" },
  alert = incident { title = "x" },
}
--! 4:28: missing takes the name of one input: missing { "hb", every = "60s" }
