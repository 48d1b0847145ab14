rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "l", within = "5m", need = { left = 2 } },
  alert = incident { title = "x" },
}
--! 4:44: need.left above one takes two different inputs
