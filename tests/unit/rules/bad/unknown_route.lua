rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { route = "opps" },
}
--! 5:22: there is no route 'opps' (did you mean 'ops'?); add it under `routes:` of the configuration, or a `default`
