rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = sum("ev", "bytes", {}, 5), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:48: sum takes an input, a field and a table of matchers
