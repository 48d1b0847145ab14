rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = 5, over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:20: 'value' is always the same; it needs an aggregate
