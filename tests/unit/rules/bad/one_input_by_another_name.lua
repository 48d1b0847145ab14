rule "a/b" {
  key = { "service" },
  inputs = { req = from "events" {} },
  detect = level { of = count "events", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 4:20: 'events' is not an input of the rule; its one input is 'req'
