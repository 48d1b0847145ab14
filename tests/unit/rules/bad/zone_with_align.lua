rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1d", zone = "Europe/Berlin", align = "first", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:51: zone begins windows at midnight, align = "first" at the first event; take one
