rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { any_of { { a = 1 }, { b = { 2 } } } } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:57: b: several values are written oneof("a", "b"); fields of an object as ["b.name"] = value
