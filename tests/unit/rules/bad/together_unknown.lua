rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { "l", "r", within = "5m", wher = function(g) return true end },
  alert = incident { title = "x" },
}
--! 4:48: 'wher' is not an option of together (did you mean 'where'?)
