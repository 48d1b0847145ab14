rule "team/my rule" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 1:1: 'team/my rule' is not a rule name: team/name of letters, digits, _ - and .
