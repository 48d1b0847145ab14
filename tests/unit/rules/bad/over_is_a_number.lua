rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = 300, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over is a duration like "90s" or "5m", not a number
