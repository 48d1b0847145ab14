rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { gap = "5m", max = "5s" },
  alert = incident { title = "x" },
}
--! 4:34: max is shorter than gap, which then never ends a session
