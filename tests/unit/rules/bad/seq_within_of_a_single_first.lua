rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { { "a", within = "1m" }, "b", within = "5m" },
  alert = incident {},
}
--! 4:18: nothing comes before the first step: its within bounds its repetitions, and it has none
