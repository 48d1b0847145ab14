rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m" },
  alert = incident { title = "${value}" },
}
--! 4:3: level needs at least one of info, warn and crit, as crit = { above = 5 }
