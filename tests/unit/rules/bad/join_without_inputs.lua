rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { within = "5m" },
  alert = incident { title = "x" },
}
--! 4:3: join needs two inputs: join { left = "a", right = "b", within = "5m" }
