rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = except() } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: except takes one value or one matcher, as except "a" or except(gte(500))
