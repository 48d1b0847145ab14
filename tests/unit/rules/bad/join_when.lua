rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m" },
  alert = incident { when = function(v) return true end },
}
--! 5:22: when has nothing to look at here: narrow a join by where = function(l, r) ... end
