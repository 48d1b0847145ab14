rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "0s", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over must be longer than zero
