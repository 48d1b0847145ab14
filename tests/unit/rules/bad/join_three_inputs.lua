rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", "l", within = "5m" },
  alert = incident { title = "x" },
}
--! 4:19: join takes two inputs: join { "left", "right", ... }, or left = "a", right = "b"
