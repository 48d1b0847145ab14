rule "a/bom" { key = "host", inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } }, alert = incident {} }
