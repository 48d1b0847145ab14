-- SPDX-License-Identifier: Apache-2.0
-- Nobody reads deploys and config_changes; every alert shows what they told of its service and region.
rule "shop/errors" {
  key    = { "service", "region" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "2m", warn = { at_least = 1 }, crit = { at_least = 2 } },
  enrich = { ctx = context { "changes", "alerts", of = "service", since = "10m" } },
  alert  = incident {
    id = "errors:${service}:${region}",
    title = "${ctx.changes.count} changes, first ${ctx.changes.first.kind} last ${ctx.changes.last.version}; "
      .. "${ctx.alerts.count} alerts, last ${ctx.alerts.last.rule} ${ctx.alerts.last.status}",
  },
}

rule "shop/slow" {
  key    = { "service" },
  inputs = { m = from "metrics" {} },
  detect = level { of = last("m", "p99"), crit = { above = 1 } },
  alert  = incident {
    id = "slow:${service}", title = "${service} is slow", group = { by = { "service" }, wait = "10s" },
  },
}
