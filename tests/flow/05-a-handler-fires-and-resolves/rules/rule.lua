rule "ops/restart_loop" {
  key = { "pod" },
  inputs = { ev = from "failure_events" { kind = oneof("crash", "healthy") } },
  detect = handler {
    on_event = function(e, ctx)
      if e.kind == "crash" then
        if ctx.state.incr("crashes") == 3 then
          ctx.fire { severity = "crit", title = "three crashes" }
        end
      else
        ctx.state.set("crashes", 0)
        ctx.resolve()
      end
    end,
  },
  alert = incident { id = "loop:${pod}", route = "ops" },
}
