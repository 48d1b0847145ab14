rule "errors" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 1:1: 'errors' is not a rule name: team/name of letters, digits, _ - and .
