rule "team/name" {
  key = { "host" },
  inputs = { ev = from "events" { ["@tme"] = gt(3), ["@timestamp"] = exists(), ['["@times"]'] = exists() } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 3:36: there is no '@tme' (did you mean '@time'?)
