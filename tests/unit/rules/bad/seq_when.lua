rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = seq { "l", "r", within = "5m" },
  alert = incident { when = function(v) return true end },
}
--! 5:22: when has nothing to look at here: narrow a step by where = function(e, m) ... end
