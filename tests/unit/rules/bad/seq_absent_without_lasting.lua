rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = "b" }, within = "5m" },
  alert = incident {},
}
--! 4:23: absent as the last step needs lasting = "10m": how long it must stay away
