rule "team/steps" {
  key    = { "service" },
  inputs = { a = from "orders" { ok = true }, b = from "orders" { ok = false }, c = from "events" {} },
  detect = seq {
    { "a", as = "first" },
    { "b", times = 3, within = "5m", where = function(e, m) return e.hots == m.first.hots and m.first.code == m.b.last.cod end },
    { any = { "b", "c" }, as = "last", within = "5m", where = function(e) return e.what ~= nil end },
  },
  alert  = incident { title = "${first.coed} ${b.first.hsot} ${last.whatever}" },
}

rule "team/pair" {
  key    = { "service" },
  inputs = { a = from "orders" {}, b = from "events" {} },
  detect = join { "a", "b", within = "5m", where = function(l, r) return l.cod == r.cod end },
  alert  = incident { title = "${left.cod} ${right.cod}" },
}

rule "team/both" {
  key    = { "service" },
  inputs = { a = from "orders" {}, b = from "events" {} },
  detect = together { "a", "b", within = "5m", where = function(g) return g.a.cod == g.b.cod end },
  alert  = incident { title = "${a.cod}" },
}

rule "team/deed" {
  key    = { "service" },
  inputs = { a = from "orders" {} },
  detect = handler { on_event = function(e, ctx) ctx.state:set("x", e.cod) end },
  alert  = incident {},
}

rule "team/mapped" {
  key    = { "service" },
  inputs = { a = from "orders" {} },
  detect = level { of = sum("a", function(e) return e.cod * 2 end), over = "5m", crit = { above = 3 } },
  alert  = incident {},
}
--! 6:70: stream 'orders' is strict and declares no field 'hots' (did you mean 'host'?)
--! 6:80: stream 'orders' is strict and declares no field 'hots' (did you mean 'host'?)
--! 6:113: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 9:23: stream 'orders' is strict and declares no field 'coed' (did you mean 'code'?)
--! 15:76: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 16:23: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 22:77: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 23:23: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 29:71: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 36:55: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
