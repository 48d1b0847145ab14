rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", ovr = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  clock = { future = "5m" },
}
--! 4:37: 'ovr' is not an option of level (did you mean 'over'?)
--! 6:13: 'future' is not supported yet
