rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", "b", { "c", within = "1m" } },
  alert = incident {},
}
--! 4:23: a match that waits for this step would live for ever: give it within = "5m", or the whole sequence
