rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { gte(500) } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: a matcher needs the field it is for: name = gte; only any_of stands without
