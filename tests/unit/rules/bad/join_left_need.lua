rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", kind = "left", need = { right = 2 } },
  alert = incident { title = "x" },
}
--! 4:59: kind = "left" is told in any case, need changes nothing
