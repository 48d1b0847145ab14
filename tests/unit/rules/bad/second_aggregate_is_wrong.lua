rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev" / count "ec", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:38: 'ec' is not an input of the rule (did you mean 'ev'?)
