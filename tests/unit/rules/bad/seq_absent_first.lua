rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { { absent = "a", lasting = "1m" }, "b", within = "5m" },
  alert = incident {},
}
--! 4:18: the first step is an event; what must not have come before it is not known
