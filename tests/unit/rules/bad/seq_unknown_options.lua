rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "b", time = 2 }, within = "5m", overlaps = "every" },
  alert = incident {},
}
--! 4:30: 'time' is not an option of a step (did you mean 'times'?)
--! 4:57: 'overlaps' is not an option of seq (did you mean 'overlap'?)
