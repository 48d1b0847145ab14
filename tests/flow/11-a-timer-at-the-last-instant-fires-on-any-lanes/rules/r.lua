-- SPDX-License-Identifier: Apache-2.0
rule "ops/silence" {
  owner = "ops", key = { "host" },
  inputs = { e = from "ev" {} },
  detect = handler {
    on_event = function(e, ctx) ctx.timer("quiet", "1s") end,
    on_timer = function(name, ctx) ctx.fire { title = "quiet for a second" } end,
  },
  alert = incident { route = "ops" },
}
