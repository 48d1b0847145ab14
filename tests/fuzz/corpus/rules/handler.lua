rule("infra/flapping")({
  key = "host",
  inputs = { ev = from "events" { kind = "state" } },
  detect = handler {
    max_bytes = 1000, max_timers = 2,
    on_event = function(e, ctx)
      if ctx.state.incr("n") > 3 then ctx.fire { severity = "warn" } end
      ctx.timer("quiet", "5m")
    end,
    on_timer = function(name, ctx) ctx.resolve() end,
  },
  alert = incident { severity = "info", title = "${host} flaps" },
})
