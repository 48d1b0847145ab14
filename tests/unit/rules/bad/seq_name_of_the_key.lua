rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { { "a", as = "host" }, "b", within = "5m" },
  alert = incident {},
}
--! 4:18: 'host' is a field of the key; call the event otherwise
