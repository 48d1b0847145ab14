rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", last = 10, min = 11, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:48: min is above last: the window never holds that many events
