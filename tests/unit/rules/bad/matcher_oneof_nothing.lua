rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = oneof() } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: oneof takes one or more values, not 0
