rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = "c", times = 2 }, "b", within = "5m" },
  alert = incident {},
}
--! 4:39: a step that is absent has no 'times'
