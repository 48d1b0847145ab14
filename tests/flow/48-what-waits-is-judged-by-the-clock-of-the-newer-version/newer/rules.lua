-- SPDX-License-Identifier: Apache-2.0
-- Begins anew, and lets nothing wait. Its clock is behind the answers, since requests are slower.
rule "ops/pairs" {
  key = { "host" }, clock = { time = "ts", idle = "10m" },
  inputs = { a = from "requests" {}, b = from "answers" {} },
  detect = join { "a", "b", within = { after = "15s" }, kind = "anti" },
  alert = incident { title = "${left.id} got no answer" },
}
