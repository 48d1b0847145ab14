rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {
    title = "${value + 1}",
  },
}
--! 6:5: "${value + 1}": ${value + 1} is not a path; only field paths stand here, no expressions
