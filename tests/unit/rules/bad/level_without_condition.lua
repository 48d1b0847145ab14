rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { hold = "2m" } },
  alert = incident { title = "${value}" },
}
--! 4:50: crit has no condition: above, at_least, below, at_most, outside or when
