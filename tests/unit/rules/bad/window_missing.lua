rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:18: level needs a window: over = "5m" (sliding), every = "1m" (tumbling), last = 100 (events) or gap = "10m" (sessions); only last, latest, ewma and elapsed stand without
