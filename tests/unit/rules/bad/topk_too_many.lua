rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = topk("ev", "path", 65), over = "5m", crit = { when = function(v) return true end } },
  alert = incident { title = "${value}" },
}
--! 4:44: topk takes how many to list, from 1 to 64
