rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 10, below = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: crit can never hold: no value is above 10 and below 5
