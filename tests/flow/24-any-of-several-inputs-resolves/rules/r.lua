rule "shop/after_change" {
  key = { "service" },
  inputs = {
    change = from "changes" {}, bad = from "requests" { code = gte(500) }, rollback = from "deploys" { kind = "rollback" },
  },
  detect = join { left = "change", right = "bad", within = { after = "10m" }, need = { right = 2 } },
  alert = incident {
    id = "change:${service}", title = "${right.count} errors after ${left.name}",
    resolve = { on = { "change", "rollback" }, after = false },
  },
}
