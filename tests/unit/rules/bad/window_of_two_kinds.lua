rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", last = 10, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: over and last are two kinds of windows; take one
