rule "a/named" {
  inputs = { ev = from "raw" {} },
  enrich = { owner = lookup { "owners", key = "service" } },
  emit = to "named" { service = "${service}", team = "${owner.team}", code = "${code}" },
}
rule "a/count" {
  key = { "team" }, inputs = { ev = from "named" {} },
  detect = level { of = count "ev", over = "1m", crit = { at_least = 2 } },
  alert = incident {},
}
test "a chain" {
  rule = "a/named", also = { "a/count" }, tables = { owners = { cart = { team = "sre" } } },
  feed = { { "0s..10s/10s", "raw", { service = "cart", code = 1 } } },
  expect = { { "0s", "emit", { team = "sre", code = 1 } }, { "10s", "emit" }, { "10s", "crit", { team = "sre" } }, {"1m", "ok"} },
  vary = { "lanes", "reload@5s", "restart@5s", { "restart@5s", "lanes" } },
}
test "another field" {
  rule = "a/named", tables = { owners = { cart = { team = "sre" } } },
  feed = { { "0s", "raw", { service = "cart", code = 1 } } },
  expect = { { "0s", "emit", { team = "ops" } } },
}
