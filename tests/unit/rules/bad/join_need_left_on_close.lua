rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", emit = "on_close", need = { left = 2 } },
  alert = incident { title = "x" },
}
--! 4:63: need.left above one is told when it is complete: it goes with kind = "inner" and without emit = "on_close"
