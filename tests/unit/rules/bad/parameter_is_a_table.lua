rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  params = { fire = {} },
}
--! 6:14: parameter 'fire' is a string, a number or true or false, not a table
