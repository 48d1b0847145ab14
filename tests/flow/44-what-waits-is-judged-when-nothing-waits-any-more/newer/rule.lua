rule "ops/on_arrival" {
  key = { "host" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "arrival:${host}", title = "${value} errors" },
}

rule "ops/anew" {
  key = { "host" }, clock = { lateness = "30s" },
  inputs = { all = from "logs" {}, err = from "logs" { level = "error" } },
  detect = level { of = count "err", last = 3, crit = { at_least = 3 } },
  alert = incident { id = "anew:${host}", title = "${value} errors of ${host}" },
}
