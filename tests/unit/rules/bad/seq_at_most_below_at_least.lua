rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", at_least = 3, at_most = 2 }, within = "5m" },
  alert = incident {},
}
--! 4:23: the step can never match: at_most is below at_least
