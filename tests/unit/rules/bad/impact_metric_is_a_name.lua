rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = "m", before = "1m", after = "1m" },
  alert = incident { title = "x" },
}
--! 4:35: metric is an input and a field of it: { "latency", "value" }
