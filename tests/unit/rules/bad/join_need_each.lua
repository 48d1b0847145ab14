rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", emit = "each", need = { right = 2 } },
  alert = incident { title = "x" },
}
--! 4:44: need above one is told once, when it is complete; leave emit out, or take "on_close"
