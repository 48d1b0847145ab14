rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = sum "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:20: sum needs a field: sum("ev", "field")
