rule "a/b" {
  key = { "host" },
  inputs = { from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:14: an input needs a name: inputs = { ev = from ... }
