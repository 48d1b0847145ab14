rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", kind = "left", emit = "each" },
  alert = incident { title = "x" },
}
--! 4:59: kind = "left" is told when the span of the left event has passed; leave emit out
