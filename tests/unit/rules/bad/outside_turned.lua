rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { outside = { 10, 5 } } },
  alert = incident { title = "${value}" },
}
--! 4:59: outside takes the lower number first
