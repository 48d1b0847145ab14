rule "a/b" {
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 1:1: the rule needs a key, as key = { "host" }: it keeps state, and stream 'events' has no default key (key = {} is one state for all)
