rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", times = 2, at_least = 3 }, within = "5m" },
  alert = incident {},
}
--! 4:23: times = 2 is an exact number; take it, or at_least and at_most
