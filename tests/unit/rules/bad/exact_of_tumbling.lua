rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", exact = 10, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:51: exact is for sliding windows: over without every
