rule "a/b" {
  key = "host", inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
}
--! 1:1: nothing comes of the rule: it needs alert = incident { ... } or emit = to "stream" { ... }
