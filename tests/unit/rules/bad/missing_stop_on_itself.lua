rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", stop_on = "ev" },
  alert = incident { title = "x" },
}
--! 4:42: stop_on is another input than the one that is expected
