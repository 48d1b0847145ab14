rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5, at_least = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: crit has above and at_least; take one
