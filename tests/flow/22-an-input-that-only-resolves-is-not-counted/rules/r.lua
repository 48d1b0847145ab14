rule "shop/errors" {
  key = { "service" },
  inputs = { bad = from "requests" { code = gte(500) }, fixed = from "deploys" { kind = "fix" } },
  detect = level { of = count "bad", over = "10m", crit = { at_least = 2 } },
  alert = incident { id = "err:${service}", title = "${value} errors of ${service}", resolve = { on = "fixed" } },
}
rule "shop/events" {
  key = { "service" }, clock = { lateness = "2s" },
  inputs = { bad = from "requests" { code = gte(500) }, fixed = from "deploys" { kind = "fix" } },
  detect = level { of = { all = count "bad" + count "fixed" }, over = "10m", warn = { when = function(v) return v.all >= 3 end } },
  alert = incident { id = "all:${service}", title = "${all} of ${service}", resolve = { on = "fixed" } },
}
