rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", at = "evv", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: 'evv' is not an input of the rule (did you mean 'ev'?)
