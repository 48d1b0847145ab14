rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = { a = count "ev", b = rate "ev" }, over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:73: crit: a level over several named values is decided by when = function(v) ... end
