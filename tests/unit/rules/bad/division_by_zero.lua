rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 1 / 0 } },
  alert = incident { title = "${value}" },
}
--! 4:59: above is not a finite number
