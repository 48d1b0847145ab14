rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = "c", lasting = "10m" }, within = "5m" },
  alert = incident {},
}
--! 4:3: the sequence can never match: its absent steps last longer than its within
