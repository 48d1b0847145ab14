rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
  throttle = { max = 1, per = "1m" }, active = { days = "mon-fri" }, context = { "changes" }, lateness = "5s",
}
--! 6:3: 'throttle' is not an option of rule; it belongs to emit: to "stream" { throttle = ... }
--! 6:39: 'active' is not an option of rule; it belongs to alert = incident { ... }
--! 6:70: 'context' is not an option of rule; it belongs to enrich = { name = ... }
--! 6:95: 'lateness' is not an option of rule; it belongs to clock = { ... }
