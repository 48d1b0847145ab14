rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", kind = "iner" },
  alert = incident { title = "x" },
}
--! 4:44: kind is one of "inner", "left", "anti", not "iner" (did you mean 'inner'?)
