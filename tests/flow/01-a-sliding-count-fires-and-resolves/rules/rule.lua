rule "shop/errors" {
  owner = "team-shop", version = "1.0.0",
  key = { "host" },
  inputs = { ev = from "events" { severity = "error" } },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 3 } },
  alert = incident { id = "errors:${host}", route = "ops", title = "${value} errors on ${host}" },
}
