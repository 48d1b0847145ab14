-- SPDX-License-Identifier: Apache-2.0
rule "ops/other" {
  key = { "host" }, clock = { time = "ts", lateness = "5s", idle = "10m" },
  inputs = { err = from "errors" {} },
  detect = level { of = count "err", over = "1m", crit = { at_least = 1000 } },
  alert = incident {},
}
