-- A windowed rule: how many of a service's requests fail, over a sliding window of event time. It fires
-- above one value and resolves below a lower one, so it does not flap between them.
rule "demo/error_ratio" {
  owner = "team-checkout",
  doc = "more than such a share of the requests of a service fail",
  params = { over = "10s", fire = 0.05, clear = 0.02 },
  key = { "service" },
  inputs = { req = from "requests" {} },
  detect = level {
    of = count("req", { code = gte(500) }) / count "req",
    over = P"over", min = 50,
    crit = { above = P"fire", clear = P"clear" },
    nodata = { after = "1m", be = "ok" }, -- no requests, no ratio: it would stay for ever
  },
  alert = incident {
    id = "errors:${service}", route = "terminal",
    title = "${service}: ${value:.1%} of requests fail (limit ${params.fire:%})",
  },
}

test "a tenth of the requests fail for five seconds" {
  rule = "demo/error_ratio",
  feed = {
    { "0s..40s/100ms", "requests", { service = "cart", code = 200 } },
    { "10s..15s/1s", "requests", { service = "cart", code = 503 } },
  },
  expect = { { "15s", "crit", { service = "cart", value = gt(0.05), title = suffix "% of requests fail (limit 5%)" } }, { "23s", "ok", { value = lte(0.02) } } },
  vary = {
    "duplicate", "delay<=5s", "future", "stall@12s", "reload@12s",
    "rebalance@12s", "restart@12s", "restart@20s", "lanes",
  },
}

test "too few requests say nothing" {
  rule = "demo/error_ratio",
  feed = { { "0s..40s/1s", "requests", { service = "cart", code = 503 } } },
  expect = {},
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@1m",
    "reload@1m", "rebalance@1m", "restart@1m", "lanes",
  },
}
