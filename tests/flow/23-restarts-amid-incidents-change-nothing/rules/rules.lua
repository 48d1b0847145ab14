rule "infra/zone_down" {
  key = { "az" },
  inputs = { down = from "zones" { state = "down" }, up = from "zones" { state = "up" } },
  detect = level { of = count "down", over = "7d", crit = { at_least = 1 } },
  alert = incident { id = "zone:${az}", resolve = { on = "up" } },
}

rule "shop/errors" {
  key = { "service", "az" },
  clock = { lateness = "5s" },
  inputs = { bad = from "requests" { code = gte(500) } },
  detect = level { of = count "bad", over = "30s", warn = { at_least = 2 }, crit = { at_least = 4 } },
  alert = incident {
    id = "err:${service}:${az}", title = "${service} fails in ${az}",
    inhibited_by = { rule = "infra/zone_down", equal = { "az" }, wait = "20s" },
    group = { by = { "az" }, wait = "25s", interval = "1m" },
    storm = { max = 3, per = "10m" },
    notify = "changes", remind = "10m", flap = { max = 5, within = "5m" },
  },
}
