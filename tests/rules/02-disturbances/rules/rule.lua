rule "shop/errors" {
  key = { "service" }, params = { fire = 3 },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { above = P"fire" } },
  alert = incident { id = "errors:${service}", title = "${service} has ${value} errors" },
}

-- A rule with lateness does not care in which order events come; this one does.
rule "shop/last" {
  key = { "service" },
  inputs = { q = from "queue" {} },
  detect = level { of = last("q", "depth"), crit = { above = 10 } },
  alert = incident {},
}

local function feed(stream, field)
  return { { "0s..30s/2s", stream, { service = "cart", code = 503, [field] = function(i) return i % 3 == 0 and 20 or 1 end } } }
end

test "what every disturbance leaves alone" {
  rule = "shop/errors",
  feed = feed("requests", "n"), expect = { { "6s", "crit" } }, until_ = "30s",
  vary = { "delay<=5s", "future", "stall@3s", "reload@3s", "rebalance@5s", "lanes",
           "restart@3s", "restart@7s",
           { "delay<=5s", "reload@3s", "rebalance@7s", "lanes" }, { "restart@3s", "restart@5s", "lanes" } },
}
test "the fourth event is another one in another order, but not later than the bound" {
  rule = "shop/errors",
  feed = feed("requests", "n"), expect = { { "6s", "crit" } }, until_ = "30s",
  vary = { "shuffle<=3s" },
}
test "what duplicates change" {
  rule = "shop/errors",
  feed = feed("requests", "n"), expect = { { "6s", "crit" } }, until_ = "30s",
  vary = { "duplicate" },
}
test "what a shuffle changes" {
  rule = "shop/last",
  feed = { { "0s", "queue", { service = "cart", depth = 20 } }, { "1s", "queue", { service = "cart", depth = 1 } } },
  expect = { { "0s", "crit" }, { "1s", "ok" } },
  vary = { "shuffle<=20s" },
}
