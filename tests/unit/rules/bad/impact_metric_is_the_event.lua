rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = { "up", "v" }, before = "1m", after = "1m" },
  alert = incident { title = "x" },
}
--! 4:35: the metric is another input than the event
