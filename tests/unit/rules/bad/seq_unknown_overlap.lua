rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", "b", within = "5m", overlap = "latest" },
  alert = incident {},
}
--! 4:43: overlap is one of "newest", "oldest", "every", "past_last", not "latest"
