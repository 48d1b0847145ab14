rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crt = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: 'crt' is not an option of level (did you mean 'crit'?)
