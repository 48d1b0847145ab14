rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5,
    clear = 6 } },
  alert = incident { title = "${value}" },
}
--! 5:5: clear (6) must not be above the bound (5): the level ends when the value has come down to it
