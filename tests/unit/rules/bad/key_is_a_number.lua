rule "a/b" {
  key = 5,
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 2:3: key is a field or a list of fields: key = { "host" }
