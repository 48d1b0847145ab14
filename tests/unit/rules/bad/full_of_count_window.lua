rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", last = 10, full = true, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:48: full is for time windows; a count window waits until it is full, which `min` lowers
