-- A metric rule: a level over a gauge that is scraped every second from the service's metrics endpoint.
rule "demo/queue_depth" {
  owner = "team-checkout",
  doc = "too many orders wait",
  params = { fire = 100, clear = 20 },
  key = { "service" },
  inputs = { queue = from "metrics" { name = "queue_depth" } },
  detect = level {
    of = last("queue", "value"),
    crit = { above = P"fire", clear = P"clear" },
  },
  alert = incident {
    id = "queue:${service}", route = "terminal",
    title = "${service}: over ${params.fire} orders wait in the queue",
  },
}

test "fires above 100, stays between 20 and 100, and resolves at 20" {
  rule = "demo/queue_depth",
  feed = {
    { "0s..4s/1s", "metrics", { name = "queue_depth", service = "cart", value = function(i) return 30 * i end } },
    { "5s..9s/1s", "metrics", { name = "queue_depth", service = "cart", value = function(i) return 120 - 20 * i end } },
    { "10s", "metrics", { name = "queue_depth", service = "cart", value = 0 } },
  },
  expect = {
    { "3s", "crit", { service = "cart", value = 120 } },
    { "9s", "ok", { service = "cart", value = lte(20) } },
  },
  vary = { "duplicate", "delay<=30s", "future", "stall@4s", "reload@4s", "rebalance@4s", "restart@4s", "lanes" },
}

test "other metrics and services do not count" {
  rule = "demo/queue_depth",
  params = { fire = 50 },
  feed = {
    { "0s", "metrics", { name = "queue_age", service = "cart", value = 900 } },
    { "1s", "metrics", { name = "queue_depth", service = "cart", value = 50 } },
    { "2s", "metrics", { name = "queue_depth", service = "mail", value = 51 } },
  },
  expect = { { "2s", "crit", { service = "mail" } } },
  vary = { "duplicate", "delay<=5s", "future", "stall@1m", "reload@1m", "rebalance@1m", "restart@1m", "lanes" },
}
