rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { when = function(v) return true end, clear = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:95: clear needs one bound it is on the other side of
