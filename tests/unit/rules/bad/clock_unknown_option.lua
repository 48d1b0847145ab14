rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  clock = { latness = "5s" },
}
--! 6:13: 'latness' is not an option of clock (did you mean 'lateness'?)
