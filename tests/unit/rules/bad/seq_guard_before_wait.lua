rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = "b" }, { absent = "c", lasting = "1m" }, within = "5m" },
  alert = incident {},
}
--! 4:23: absent without lasting guards the way to an event, and a wait follows; give it lasting too, or name both: absent = { "a", "b" }
