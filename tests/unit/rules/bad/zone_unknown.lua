rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1d", zone = "Europe/Atlantis", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:51: zone: there is no time zone 'Europe/Atlantis'; write it as in "Europe/Berlin" or "UTC"
