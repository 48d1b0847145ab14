rule "team/name" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", warn = { at_least = 10 }, crit = { at_least = 3 } },
  alert = incident {},
}
--! 4:76: warning: crit (3) begins before warn (10), which is then never seen: are they the wrong way round?
