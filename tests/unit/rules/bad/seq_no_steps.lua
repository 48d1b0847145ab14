rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { within = "5m" },
  alert = incident {},
}
--! 4:3: seq has no steps: seq { { "deploy" }, { "err", within = "5m" } }
