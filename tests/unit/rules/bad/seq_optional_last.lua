rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", optional = true }, within = "5m" },
  alert = incident {},
}
--! 4:23: an optional last step changes nothing: the match is complete before it
