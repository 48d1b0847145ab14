rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", align = "first", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: align is for windows with every = "..."
