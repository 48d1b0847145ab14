rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = gt(1, 2) } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: gt takes one value, not 2
