rule "a/b" {
  key = { "host" },
  inputs = { ev = "events" },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:14: input 'ev' is from "stream" { matchers }, not a string
