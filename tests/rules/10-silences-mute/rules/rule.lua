rule "shop/errors" {
  key = { "service" }, params = { fire = 3 },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { above = P"fire" } },
  alert = incident { id = "errors:${service}", title = "${service} has ${value} errors" },
}
test "a silence mutes, and its end tells what still fires" {
  rule = "shop/errors",
  feed = { { "0s..10m/5s", "requests", { service = "cart", code = 503 } }, { "0s..20s/5s", "requests", { service = "mail", code = 503 } } },
  silences = { { match = { service = "cart" }, from = "0s", to = "5m" }, { match = { service = matches "m.*" }, from = "0s", to = "5m" } },
  expect = { { "5m", "crit", { service = "cart" } } },
  vary = { "lanes", "reload@3m" },
}
