rule "team/name" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 3, at_most = 1 } },
  alert = incident {},
}
--! 4:50: crit can never hold: no value is at least 3 and at most 1
