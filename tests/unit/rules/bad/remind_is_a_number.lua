rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { remind = 4 },
}
--! 5:22: remind is a duration like "90s" or "5m", not a number
