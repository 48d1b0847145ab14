rule "shop/heavy" {
  owner = "shop", key = { "user" },
  inputs = { req = from "requests" {} },
  detect = level { of = sum("req", "bytes"), gap = "10s", warn = { above = 100 } },
  alert = incident { id = "heavy:${user}", title = "${value} bytes" },
}
rule "shop/role" {
  owner = "shop", key = { "node" },
  inputs = { seen = from "nodes" {}, told = from "orders" {} },
  detect = change { "seen", "told", of = "role", to = "primary" },
  alert = incident { id = "role:${node}", title = "${from} to ${to} by ${by}" },
}
