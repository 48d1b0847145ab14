rule "shop/errors" {
  key = { "service" }, params = { fire = 3 },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", crit = { above = P"fire" } },
  alert = incident { id = "errors:${service}", title = "${service} has ${value} errors" },
}

rule "shop/owner" {
  key = { "service" }, params = { fire = 1, name = "x" },
  clock = { time = "ts", lateness = "10s" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", warn = { at_least = P"fire" }, crit = { at_least = 3 } },
  enrich = { owner = lookup { "owners", key = "service" } },
  alert = incident { id = "o:${service}", route = "to:${owner.team}", title = "${params.name}" },
}

test "tables stand in for look-ups, params for parameters" {
  rule = "shop/owner",
  params = { fire = 2, name = "y" },
  tables = { owners = { cart = { team = "sre" } } },
  feed = { { "10s..30s/10s", "requests", function(i, t)
    return { service = "cart", code = 500 + i, ts = "2024-01-01T00:00:" .. math.tointeger(t - i) .. "Z" }
  end } },
  expect = {
    { "18s", "warn", { route = "to:sre", title = "y" } },
    { "27s", "crit", { route = "to:sre", incident = "o:cart" } },
  },
}
test "two rules at once" {
  rule = "shop/owner", also = { "shop/errors" },
  params = { fire = 5, ["shop/errors"] = { fire = 0 } },
  feed = { { "0s", "requests", { service = "cart", code = 503 } } },
  expect = { { "0s", "crit", { rule = "shop/errors" } } },
}
test "late events are told" {
  rule = "shop/owner",
  feed = {
    { "1m", "requests", { service = "cart", code = 503, ts = 1704067260 } },
    { "2m", "requests", { service = "cart", code = 503, ts = 1704067260 } },
  },
  expect = { { "1m", "warn" }, { "2m", "late", { rule = "shop/owner", stream = "requests" } }, { "2m", "ok" } },
}
test "another start" {
  rule = "shop/owner", start = "2025-06-01T12:00:00Z",
  feed = { { "0s", "requests", { service = "cart", code = 503, ts = "2025-06-01T12:00:00Z" } } },
  expect = { { "0s", "warn", { title = "x", route = "to:" } } },
}
