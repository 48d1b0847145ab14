rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  [1.5] = 5, [true] = 6,
}
--! 1:12: '[1.5]' is not an option of rule
--! 1:12: '[true]' is not an option of rule
