rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { "l", "r" },
  alert = incident { title = "x" },
}
--! 4:3: together needs a bound: within = "2m", the span in which all of it happens
