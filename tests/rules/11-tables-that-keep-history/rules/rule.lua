rule "shop/errors" {
  key = { "service" },
  inputs = { req = from "requests" {} },
  detect = level { of = count "req", over = "1m", warn = { at_least = 2 } },
  enrich = {
    owner = lookup { "owners", key = "service", as_of = "event" },
    duty = lookup { "duty", key = "${owner.team}", as_of = "event", miss = { who = "nobody" } },
    today = lookup { "owners", key = "service" },
  },
  alert = incident { route = "${owner.team}", title = "${duty.who} (${today.team})" },
  emit = to "judged" { team = "${owner.team}", who = "${duty.who}" },
}

test "a row is what it was then" {
  rule = "shop/errors",
  tables = {
    owners = { cart = { { team = "web" }, { "10m", { team = "shop" } }, { "20m" } } },
    duty = { web = { { "5m", { who = "ada" } }, { "7m", { who = "bob" } } }, shop = { who = "eve" } },
  },
  feed = {
    { "4m..4m1s/1s", "requests", { service = "cart" } },
    { "6m59s..7m/1s", "requests", { service = "cart" } },
    { "10m..10m1s/1s", "requests", { service = "cart" } },
    { "20m..20m1s/1s", "requests", { service = "cart" } },
  },
  vary = { "restart@6m59s" },
  expect = {
    { "4m1s", "warn", { route = "web", title = "nobody ()" } }, { "4m1s", "emit", { team = "web", who = "nobody" } },
    { "5m", "ok" }, { "5m", "emit", { who = "ada" } },
    { "7m", "warn", { route = "web", title = "bob ()" } }, { "7m", "emit" }, { "7m59s", "ok" }, { "7m59s", "emit" },
    { "10m1s", "warn", { route = "shop", title = "eve ()" } }, { "10m1s", "emit" }, { "11m", "ok" }, { "11m", "emit" },
    { "20m1s", "warn", { route = "", title = "nobody ()" } }, { "20m1s", "emit", { team = missing_field(), who = "nobody" } },
    { "21m", "ok" }, { "21m", "emit" },
  },
}
