rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { outside = { 5, 10 }, above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: crit has outside and another bound; take one
