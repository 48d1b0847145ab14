rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = 5 },
  alert = incident { title = "x" },
}
--! 4:29: within is a duration like "90s" or "5m", not a number
