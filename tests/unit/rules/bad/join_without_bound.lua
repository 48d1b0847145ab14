rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r" },
  alert = incident { title = "x" },
}
--! 4:3: join needs a bound: within = { after = "5m" }, how long after (or `before`) the left event the right one may come
