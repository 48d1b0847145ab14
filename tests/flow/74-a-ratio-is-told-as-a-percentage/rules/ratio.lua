-- SPDX-License-Identifier: Apache-2.0
-- What is a share of one is written as people say it, in texts and in emitted events.
rule "shop/ratio" {
  key = { "service" }, params = { fire = 0.05 },
  inputs = { req = from "requests" {} },
  detect = level { of = count("req", { code = gte(500) }) / count "req", over = "1m", min = 3, crit = { above = P"fire" } },
  alert = incident {
    id = "ratio:${service}", title = "${value:%} of ${service} fail, allowed are ${params.fire:.1%}",
    body = "${value:.2} after ${count:.1} requests", labels = { service_is = "${service:%}", share = "${value:.0%}" },
  },
  emit = to "ratios" { ratio = "${value}", text = "${value:%}", three = "${value:.3}", whole = "is ${value:.0%}" },
}
