rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", ovr = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  clock = { future = "5 minutes" },
}
--! 4:37: 'ovr' is not an option of level (did you mean 'over'?)
--! 6:13: future: "5 minutes" is not a duration; write it like "90s", "5m" or "2h30m" (units ms s m h d w, largest first)
