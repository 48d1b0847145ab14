rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { x = except(exists()) } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 3:35: this can never hold: except asks for a field that is there; one that is not is missing_field()
