rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", min = 0, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: min is a whole number from 1 to 1000000
