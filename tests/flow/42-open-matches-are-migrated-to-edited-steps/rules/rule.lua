-- SPDX-License-Identifier: Apache-2.0
rule "ops/release" {
  key = { "service" },
  inputs = { deploy = from "deploys" {}, err = from "requests" { code = gte(500) }, rollback = from "rollbacks" {} },
  detect = seq {
    { "deploy", as = "d" },
    { "err", as = "errors", times = 3, within = "10m" },
    { absent = "rollback", lasting = "2m" },
  },
  alert = incident { id = "release:${service}", title = "${d.version}: ${errors.count}, the last ${errors.last.code}" },
}
