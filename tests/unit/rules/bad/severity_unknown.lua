rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { severity = "critical" },
}
--! 5:22: warning: severity has no effect here: the incident of a level detector has the level that fires
--! 5:22: severity is one of "info", "warn", "crit", not "critical"
