rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { titel = "x" },
}
--! 5:22: 'titel' is not an option of incident (did you mean 'title'?)
