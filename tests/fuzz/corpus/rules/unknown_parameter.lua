rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fier" } },
  alert = incident { title = "${value}" },
  params = { fire = 5 },
}
--! 4:59: the rule has no parameter 'fier' (did you mean 'fire'?)
