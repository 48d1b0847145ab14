rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", last = 10, every = "2m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:48: every of a count window is a number of events from 1 to 1000000
