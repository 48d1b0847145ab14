rule "shop/errors" {
  key = { "service" },
  inputs = { req = from "requests" {} },
  detect = level { of = count "req", over = "1m", warn = { at_least = 2 } },
  enrich = { owner = lookup { "owners", key = "service", as_of = "event" } },
  alert = incident { route = "${owner.team}" },
}

test "versions with mistakes" {
  rule = "shop/errors",
  tables = {
    owners = {
      a = { { "10m", { team = "shop" } }, { "10m", { team = "web" } } },
      b = { { "10m", { team = "shop" } }, { team = "web" } },
      c = { { "soon", { team = "shop" } } },
      d = { { "1m", "shop" } },
      e = { { "1m", { team = "shop" } }, team = "web" },
    },
  },
  feed = { { "0s", "requests", { service = "cart" } } },
  expect = {},
}
