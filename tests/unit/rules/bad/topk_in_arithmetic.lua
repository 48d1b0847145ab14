rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = topk("ev", "path", 5) / count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:25: topk is a list, with which there is no arithmetic; give it a name: of = { top = topk(...) }
