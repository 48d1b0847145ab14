rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = topk("ev", "path", 5), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:61: crit: a level over a list is decided by when = function(v) ... end
