rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", times = 0 }, within = "5m" },
  alert = incident {},
}
--! 4:30: times is a whole number from 1 to 1000000
