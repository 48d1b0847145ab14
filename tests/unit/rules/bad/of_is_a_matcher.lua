rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = gt(5), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:20: `of` is an aggregate like count "ev" or arithmetic over such, not gt
