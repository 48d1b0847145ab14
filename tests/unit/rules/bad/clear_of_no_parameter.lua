rule "team/name" {
  key = { "host" },
  params = { clear = 3 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5, clear = P"clera" } },
  alert = incident {},
}
--! 5:70: the rule has no parameter 'clera' (did you mean 'clear'?)
