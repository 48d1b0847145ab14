rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = prefix(5) } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: code: this matcher takes a string
