rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { below = 5, clear = 4 } },
  alert = incident { title = "${value}" },
}
--! 4:70: clear (4) must not be below the bound (5): the level ends when the value has come up to it
