-- Scaling that flaps: out and in and out again within a short while. Each change costs start-up time and cold
-- caches, and nobody is served better; the cause is a threshold without a gap, or a cool-down that is too short.
rule "scaling/flapping" {
  owner = "platform",
  doc = "a service is scaled out and in again and again",
  params = { within = "30m", times = 2, lateness = "10s" },
  key = { "service" },
  clock = { lateness = P"lateness" },
  dedup = { by = "id", within = P"within" },
  inputs = {
    out = from "scaling_events" { action = "scale_out", result = "ok" },
    back = from "scaling_events" { action = "scale_in", result = "ok" },
  },
  detect = together { "out", "back", need = { out = P"times", back = P"times" }, within = P"within" },
  alert = incident {
    id = "scaling_flaps:${service}", severity = "warn", route = "ops",
    title = "${service} was scaled out ${out.count} times and in ${back.count} times within ${params.within}",
    resolve = { after = P"within" },
  },
}

test "out, in, out, in within half an hour flaps" {
  rule = "scaling/flapping",
  feed = {
    { "0s", "scaling_events", { id = "e1", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "6m", "scaling_events", { id = "e2", action = "scale_in", result = "ok", service = "cart", from = 8, to = 4 } },
    { "11m", "scaling_events", { id = "e3", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "17m", "scaling_events", { id = "e4", action = "scale_in", result = "ok", service = "cart", from = 8, to = 4 } },
    { "1h", "scaling_events", { id = "e5", action = "none" } },
  },
  expect = {
    { "17m", "warn", { service = "cart", title = "cart was scaled out 2 times and in 2 times within 30m" } },
    { "47m", "ok", { service = "cart" } },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@10m",
    "reload@10m", "rebalance@10m", "restart@10m", "lanes",
  },
}

test "a day that grows in the morning and shrinks in the evening does not flap" {
  rule = "scaling/flapping",
  feed = {
    { "0s", "scaling_events", { id = "e6", action = "scale_out", result = "ok", service = "cart" } },
    { "20m", "scaling_events", { id = "e7", action = "scale_out", result = "ok", service = "cart" } },
    { "8h", "scaling_events", { id = "e8", action = "scale_in", result = "ok", service = "cart" } },
    { "8h10m", "scaling_events", { id = "e9", action = "scale_in", result = "ok", service = "cart" } },
    { "9h", "scaling_events", { id = "e10", action = "scale_in", result = "failed", service = "cart" } },
  },
  expect = {},
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@10m",
    "reload@10m", "rebalance@10m", "restart@10m", "lanes",
  },
}
