-- SPDX-License-Identifier: Apache-2.0
-- All but one of the rules are gone by mistake.
rule "ops/other" {
  key = { "service" },
  inputs = { err = from "requests" { code = gte(500) } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 1000 } },
  alert = incident {},
}
