rule "a/b" {
  key = { "a", "b", "c", "d", "e", "f", "g", "h", "i" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 2:51: a key may have 8 fields
