rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5 min", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over: "5 min" is not a duration; write it like "90s", "5m" or "2h30m" (units ms s m h d w, largest first)
