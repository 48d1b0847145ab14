rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = topk("ev", "path"), over = "5m", crit = { when = function(v) return true end } },
  alert = incident { title = "${value}" },
}
--! 4:20: topk is written topk("ev", "field", 5), behind which a table of matchers may stand
