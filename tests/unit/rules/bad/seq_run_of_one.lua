rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", run = true }, within = "5m" },
  alert = incident {},
}
--! 4:23: run says that nothing comes between repetitions; it needs times or at_least
