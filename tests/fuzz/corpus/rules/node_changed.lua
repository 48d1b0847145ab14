local f = from "events" {}
rawset(f, "word", 5) rawset(f, "n", -1)
local s = count "ev" + 1
rawset(s, "n", 0)
rule "a/b" { key = "host", inputs = { ev = f },
  detect = level { of = s, over = "5m", crit = { above = 1 } }, alert = incident {} }
--! 5:39: input 'ev' is from "stream" { matchers }, not something that is not a value
