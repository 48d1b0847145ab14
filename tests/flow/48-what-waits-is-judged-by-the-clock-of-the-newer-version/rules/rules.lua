-- SPDX-License-Identifier: Apache-2.0
rule "ops/pairs" {
  key = { "host" }, clock = { time = "ts", lateness = "1m", idle = "10m" },
  inputs = { a = from "requests" {}, b = from "answers" {} },
  detect = join { "a", "b", within = { after = "15s" } },
  alert = incident { title = "${left.id} ${right.id}" },
}
