rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = { 500, 503 } } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: code: several values are written oneof("a", "b"); fields of an object as ["code.name"] = value
