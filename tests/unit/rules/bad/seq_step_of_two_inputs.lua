rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", "c" }, within = "5m" },
  alert = incident {},
}
--! 4:23: a step names one input: { "deploy" }, { any = { "a", "b" } } or { absent = "x" }
