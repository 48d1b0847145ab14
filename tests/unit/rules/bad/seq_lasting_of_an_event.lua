rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", lasting = "1m" }, within = "5m" },
  alert = incident {},
}
--! 4:30: lasting stands with absent
