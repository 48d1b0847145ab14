rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = { title = "x" },
}
--! 5:3: alert is incident { ... }, not a table
