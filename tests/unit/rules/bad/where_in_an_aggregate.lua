rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count("ev", { where = function(e) return true end }), over = "5m",
    crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:39: where stands only in the table of an input
