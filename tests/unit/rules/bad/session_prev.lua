rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { gap = "5m", of = count "ev" / prev(count "ev") },
  alert = incident { title = "x" },
}
--! 4:34: prev is of the window before; a session has none
