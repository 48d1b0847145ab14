rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
  params = { fire = "5" },
}
--! 4:59: above is a number, not a string
