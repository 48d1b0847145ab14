rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { gap = "5m", of = { count = sum("ev", "x"), n = count "ev" } },
  alert = incident { title = "x" },
}
--! 4:34: 'count' is what a session has anyway; take another name
