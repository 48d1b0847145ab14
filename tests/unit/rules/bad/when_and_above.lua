rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5, when = function(v) return true end } },
  alert = incident { title = "${value}" },
}
--! 4:50: crit has bounds and `when`; take one
