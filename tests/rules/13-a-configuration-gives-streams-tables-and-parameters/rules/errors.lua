-- Limit, owner and the time of an event come from the configuration.
rule "shop/errors" {
  key = { "service" }, params = { fire = 100, span = "1m" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = P"span", crit = { at_least = P"fire" } },
  enrich = { owner = lookup { "owners", key = "service" }, duty = lookup { "duties", key = "service" } },
  alert = incident { id = "errors:${service}", title = "${owner.team} ${duty.name}", route = "team:${owner.team}" },
}
rule "shop/panic" {
  inputs = { line = from "lines" { message = contains "panic" } }, key = { "host" },
  detect = level { of = count "line", over = "1m", crit = { at_least = 1 } },
  alert = incident { id = "panic:${host}" },
}

local function errors(t) return { t, "requests", { service = "cart", code = 503 } } end

test "the limit and the owner are those of the configuration" {
  rule = "shop/errors", until_ = "30s",
  feed = { errors "0s..4s/2s" },
  expect = { { "4s", "crit", { title = "payments ", route = "team:payments" } } },
}

test "a table of the test stands before that of the configuration" {
  rule = "shop/errors", until_ = "30s",
  feed = { errors "0s..4s/2s" },
  tables = { duties = { cart = { name = "ada" } }, owners = { cart = { team = "web" } } },
  expect = { { "4s", "crit", { title = "web ada" } } },
}

test "a parameter of the test stands before that of the configuration, which keeps the others" {
  rule = "shop/errors", params = { span = "2s" }, until_ = "30s",
  feed = { errors "0s..4s/2s", errors "10s", errors "10s", errors "10s" },
  expect = { { "10s", "crit" }, { "12s", "ok" } },
}

test "time is the field that the stream says" {
  rule = "shop/errors", start = "2024-01-01T00:00:00Z", until_ = "30s", -- ts is 23:58 of the day before
  feed = { { "5s", "requests", { service = "cart", code = 503, ts = 1704067080000 } }, errors "6s", errors "7s" },
  expect = {},
}

test "a line of text is fed as the event it becomes" {
  rule = "shop/panic",
  feed = { { "1s", "lines", { host = "h1", message = "kernel panic" } } },
  expect = { { "1s", "crit" } },
}
