rule "a/b" {
  key = { "host" },
  inputs = { ev = from "evnts" {} },
  detect = level { of = count "ev", over = "5x", crit = { abov = 5 } },
  alert = incident { titl = "x" },
}
rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = sum "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 3:24: there is no stream 'evnts' (did you mean 'events'?)
--! 4:37: over: "5x" is not a duration; write it like "90s", "5m" or "2h30m" (units ms s m h d w, largest first)
--! 4:59: 'abov' is not an option of crit (did you mean 'above'?)
--! 5:22: 'titl' is not an option of incident (did you mean 'title'?)
--! 10:20: sum needs a field: sum("ev", "field")
