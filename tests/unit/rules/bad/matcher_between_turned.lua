rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = between(600, 500) } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: code: between takes the lower value first
