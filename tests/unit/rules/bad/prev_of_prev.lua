rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = prev(prev(count "ev")), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:30: prev takes one expression and gives it of the window before: prev(count "ev")
