rule "team/name" {
  key = { "host" }
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 3:3: '}' expected (to close '{' at line 1) near 'inputs'; a comma may be missing after line 2
