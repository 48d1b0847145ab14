rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = sum("ev", "bytes", {}, 5), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:48: sum is written sum("ev", "field"), behind which a table of matchers may stand
