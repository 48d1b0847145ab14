rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = { "b", "c" } }, "b", within = "5m" },
  alert = incident {},
}
--! 4:50: the step can never match: what it waits for must be absent before it
