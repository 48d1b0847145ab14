rule "team/name" {
  keys = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", critical = { above = 5 } },
  alert = incident {},
}
--! 2:3: 'keys' is not an option of rule (did you mean 'key'?)
--! 4:50: 'critical' is not an option of level (did you mean 'crit'?)
