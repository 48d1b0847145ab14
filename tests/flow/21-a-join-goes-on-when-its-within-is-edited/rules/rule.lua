rule "ops/deploy_and_errors" {
  version = "1", key = { "service" },
  inputs = { deploy = from "deploys" {}, err = from "requests" { code = gte(500) } },
  detect = join { left = "deploy", right = "err", within = { before = "10s", after = "1m" }, kind = "left" },
  alert = incident { id = "deploy:${service}:${left.version}", title = "${left.version}: ${right.count} errors, ${right.first.code} to ${right.last.code}" },
}

rule "ops/each_error_of_a_deploy" {
  key = { "service" },
  inputs = { deploy = from "deploys" {}, err = from "requests" { code = gte(500) } },
  detect = join { "deploy", "err", within = { after = "2m" }, where = function(l, r) return l.version == r.version end },
  alert = incident { id = "pair:${service}:${right.code}", severity = "info", title = "${left.version} ${right.code} ${right.@time}" },
}
