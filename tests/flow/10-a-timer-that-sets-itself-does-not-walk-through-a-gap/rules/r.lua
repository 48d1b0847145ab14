-- SPDX-License-Identifier: Apache-2.0
rule "ops/pulse" {
  owner = "ops", key = { "host" },
  inputs = { e = from "ev" {} },
  detect = handler {
    on_event = function(e, ctx)
      if e.last then ctx.fire { title = "ticks " .. tostring(ctx.state.get("ticks")) } end
      ctx.timer("tick", "1ms")
    end,
    on_timer = function(name, ctx)
      ctx.state.incr("ticks", 1)
      ctx.timer(name, "1ms")
    end,
  },
  alert = incident { route = "ops" },
}
