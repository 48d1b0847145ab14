rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", need = { left = 2 }, where = function(l, r) return l.v == r.v end },
  alert = incident { title = "x" },
}
--! 4:65: where(l, r) is about one left event; for several take together { ..., where = function(g) ... end }
