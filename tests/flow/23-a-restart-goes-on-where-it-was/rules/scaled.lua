rule "ops/scaled" {
  key = { "service" }, clock = { lateness = "10s" },
  inputs = { up = from "scalings" {}, err = from "requests" { code = gte(500) } },
  detect = join { "up", "err", within = { after = "1m" }, need = { right = 3 } },
  alert = incident { severity = "warn", title = "${right.count} errors after ${left.to}", resolve = { after = "10m" } },
}
