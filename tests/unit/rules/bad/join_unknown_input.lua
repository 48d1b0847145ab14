rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "rr", within = "5m" },
  alert = incident { title = "x" },
}
--! 4:24: 'rr' is not an input of the rule (did you mean 'r'?)
