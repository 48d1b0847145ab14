rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { { "a", as = "x" }, { "b", as = "x" }, within = "5m" },
  alert = incident {},
}
--! 4:37: two events cannot both be called 'x'
