rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", clear = 7, warn = { above = 10 }, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: clear (7) must not be above the bound (5): the level ends when the value has come down to it
--! 4:84: warning: crit (5) begins before warn (10), which is then never seen: are they the wrong way round?
