-- SPDX-License-Identifier: Apache-2.0
rule "shop/explained" {
  inputs = { req = from "requests" { code = gte(500) }, deploy = from "deploys" {} },
  enrich = { ctx = context { "changes", "alerts", of = { "service", "region" }, since = "1m" } },
  emit   = to "explained" {
    last = "${ctx.changes.last.version}", n = "${ctx.changes.count}", alerts = "${ctx.alerts}",
    text = "${ctx.changes.count} changes, ${ctx.changes.first.kind}",
  },
}

rule "shop/whole" {
  inputs = { req = from "requests" { code = 599 } },
  enrich = { ctx = context { "changes", of = "service" } },
  emit   = to "whole" {},
}

rule "shop/errors" {
  key    = { "service" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "2m", warn = { at_least = 1 } },
  alert  = incident { id = "errors:${service}", title = "errors of ${service}" },
}
