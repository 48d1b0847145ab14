rule "shop/errors" {
  key = { "service" }, params = { fire = 3 },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { above = P"fire" } },
  alert = incident { id = "errors:${service}", title = "${service} has ${value} errors" },
}

test "alpha" { rule = "shop/errors", feed = {}, expect = {} }
test "beta" { rule = "shop/errors", feed = {}, expect = { { "1s", "crit" } } }
