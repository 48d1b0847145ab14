rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5, hold = 120 } },
  alert = incident { title = "${value}" },
}
--! 4:70: hold is a duration like "90s" or "5m", not a number
