rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { { "a", optional = true }, { absent = "c" }, "b", within = "5m" },
  alert = incident {},
}
--! 4:44: the first step is an event; what must not have come before it is not known
