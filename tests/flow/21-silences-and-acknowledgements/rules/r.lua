rule "shop/errors" {
  key = { "service" },
  inputs = { bad = from "requests" { code = gte(500) } },
  detect = level { of = count "bad", over = "10m", crit = { at_least = 1 } },
  alert = incident { id = "err:${service}", title = "${service} fails", remind = "3m" },
}
