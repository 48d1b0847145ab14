rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = 5 },
  alert = incident { title = "${value}" },
}
--! 4:50: crit is a table like { above = 5, hold = "2m" }, not a number
