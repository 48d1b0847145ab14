rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", "b", within = "5m", stop_on = "b" },
  alert = incident {},
}
--! 4:23: the step can never match: stop_on ends the match first
