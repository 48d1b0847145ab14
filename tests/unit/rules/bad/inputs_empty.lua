rule "a/b" {
  key = { "host" },
  inputs = {},
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:3: inputs is empty; it needs at least one name = from "stream" {}
