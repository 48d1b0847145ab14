rule "deploy/bad_release" {
  owner = "platform-sre", version = "1.0.0", key = { "service" },
  inputs = { deploy   = from "deploys" { kind = "deploy", status = "ok" },
             err      = from "requests" { code = gte(500) },
             rollback = from "deploys" { kind = oneof("rollback", "abort") } },
  detect = seq {
    { "deploy", as = "d" },
    { "err", times = 20, within = "5m", where = function(e, m) return e.version == m.d.version end },
    { absent = "rollback", lasting = "10m" },
    overlap = "newest",
  },
  alert = incident {
    id = "badrel:${service}", severity = "crit", route = "pagerduty",
    title = "${service} ${d.version} by ${d.by}: ${err.count} errors, from ${err.first.code} to ${err.last.code}",
  },
}

rule "deploy/never_came_up" {
  key = { "service" },
  inputs = { deploy = from "deploys" { kind = "deploy" }, up = from "deploys" { kind = "up" } },
  detect = seq { "deploy", { "up" }, within = "10m", on_timeout = "emit" },
  alert = incident { id = "up:${service}", severity = "warn", title = "${service} timed out: ${timed_out}" },
}
