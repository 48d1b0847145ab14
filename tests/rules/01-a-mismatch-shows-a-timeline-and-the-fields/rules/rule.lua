rule "shop/errors" {
  key = { "service" }, params = { fire = 3 },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { above = P"fire" } },
  alert = incident { id = "errors:${service}", title = "${service} has ${value} errors" },
}

test "what holds" {
  rule = "shop/errors",
  feed = { { "0s..20s/5s", "requests", { service = "cart", code = 503 } } },
  expect = { { "15s", "crit", { service = "cart", value = 4, title = prefix "cart has" } }, { "1m5s", "ok" } },
}

test "a time, a level, a field that differ" {
  rule = "shop/errors",
  feed = {
    { "0s..20s/5s", "requests", { service = "cart", code = 503 } },
    { "3s", "requests", { service = "mail", code = 503, text = "a long text that nobody wants to read as a whole in a terminal, since it goes on and on and on" } },
  },
  expect = {
    { "16s", "crit", { service = "crt", value = gt(7) } },
    { "1m5s", "crit", { title = contains "err", labels = missing_field(), values = { value = oneof(1, 2) } } },
  },
}

test "more than leaves" {
  rule = "shop/errors",
  feed = { { "0s", "requests", { service = "cart", code = 503 } } },
  expect = { { "2m", "ok", { service = "cart" } } },
}

test "less than leaves" {
  rule = "shop/errors", until_ = "5m",
  feed = { { "0s..20s/5s", "requests", { service = "cart", code = 503 } } },
  expect = {},
}

test "an expectation that says little takes nothing from one that says more" {
  rule = "shop/errors", until_ = "20s",
  feed = {
    { "0s..15s/5s", "requests", { service = "mail", code = 503 } },
    { "0s..15s/5s", "requests", { service = "cart", code = 503 } },
  },
  expect = { { "15s", "crit" }, { "15s", "crit", { service = oneof("mail", "shop") } } },
}
