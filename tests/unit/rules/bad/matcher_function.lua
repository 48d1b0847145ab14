rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { code = function(e) return true end } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: code: a function stands only in where = function(e) ... end
