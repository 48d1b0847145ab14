rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = {} },
  alert = incident { title = "x" },
}
--! 4:29: within needs before or after: within = { after = "5m" }
