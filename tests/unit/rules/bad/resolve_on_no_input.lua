rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { resolve = { on = "evv" } },
}
--! 5:34: 'evv' is not an input of the rule (did you mean 'ev'?)
