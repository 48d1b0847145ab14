-- SPDX-License-Identifier: Apache-2.0
rule "ops/quiet" {
  key = { "host" }, clock = { time = "ts", idle = "10m" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", crit = { below = 1 } },
  alert = incident { title = "${value} events in a minute" },
}
