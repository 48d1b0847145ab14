rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 }


--! 4:70: '}' expected (to close '{' at line 4) near <eof>
