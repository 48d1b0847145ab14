-- SPDX-License-Identifier: Apache-2.0
-- argo tells of changes by the service alone, flags by whatever rules are keyed by, deploys is told to be none.
rule "shop/errors" {
  key    = { "service" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", warn = { at_least = 1 } },
  alert  = incident { id = "errors:${service}", title = "errors of ${service}" },
}

rule "shop/tenant" {
  key    = { "tenant.id" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "1m", warn = { at_least = 1 } },
  alert  = incident { id = "tenant:${tenant.id}", title = "errors of ${tenant.id}" },
}
