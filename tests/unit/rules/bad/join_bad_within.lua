rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = { afer = "5m" } },
  alert = incident { title = "x" },
}
--! 4:40: 'afer' is not an option of within (did you mean 'after'?)
