rule "a/b" {
  key = { "host" },
  inputs = { ev = from "event" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:24: there is no stream 'event' (did you mean 'events'?)
