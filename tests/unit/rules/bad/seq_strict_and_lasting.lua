rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { absent = "b", strict = true, lasting = "1m" }, within = "5m" },
  alert = incident {},
}
--! 4:23: strict is about the very next event and lasting about a time; take one
