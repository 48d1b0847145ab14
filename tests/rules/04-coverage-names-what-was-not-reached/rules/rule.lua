rule "shop/branches" {
  key = { "service" },
  inputs = { req = from "requests" { where = function(e) return e.code ~= 1 end } },
  detect = handler {
    on_event = function(e, ctx)
      if e.code == 200 then
        ctx.resolve()
      elseif e.code == 500 then
        ctx.fire {}
      else
        ctx.state.set("odd", 1)
        ctx.timer("odd", "1m")
      end
    end,
    on_timer = function(name, ctx)
      ctx.fire { severity = "warn" }
    end,
  },
  alert = incident { severity = "crit" },
}
rule "shop/levels" {
  key = { "service" },
  inputs = { req = from "requests" {} },
  detect = level { of = last("req", "code"), warn = { above = 1 }, crit = { above = 1000 } },
  alert = incident {},
}
test "one way of three" {
  rule = "shop/branches", also = { "shop/levels" },
  feed = { { "0s", "requests", { service = "cart", code = 500 } } },
  expect = { { "0s", "crit" }, { "0s", "warn" } },
  vary = { "lanes" },
}
