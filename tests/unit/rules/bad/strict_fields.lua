rule "team/strict" {
  key    = { "hsot" },
  clock  = { time = "tmie" },
  dedup  = { by = { "event_id" }, within = "10m" },
  inputs = {
    ev = from "orders" { cod = gte(500), any_of { { sevrice = "cart" } }, ["detail.knid"] = "x", ["labels.zone"] = "a",
                         where = function(e) return e.okk and e.labels.zone == "a" and e["detail.kind"] ~= e.detail.knd end },
    up = from "orders" { ["tags[0]"] = "up", ["code.x"] = 1, ["@partition"] = 0 },
  },
  detect = level { of = sum("ev", "cdoe") / count("up", { stat = "x" }), over = "5m", crit = { above = 3 } },
  alert  = incident {},
}
--! 2:3: stream 'orders' is strict and declares no field 'hsot' (did you mean 'host'?)
--! 3:14: stream 'orders' is strict and declares no field 'tmie'
--! 4:21: stream 'orders' is strict and declares no field 'event_id'
--! 6:26: stream 'orders' is strict and declares no field 'cod' (did you mean 'code'?)
--! 6:53: stream 'orders' is strict and declares no field 'sevrice' (did you mean 'service'?)
--! 6:76: stream 'orders' is strict and declares no field 'detail.knid' (did you mean 'detail.kind'?)
--! 7:55: stream 'orders' is strict and declares no field 'okk' (did you mean 'ok'?)
--! 7:110: stream 'orders' is strict and declares no field 'detail.knd' (did you mean 'detail.kind'?)
--! 8:47: stream 'orders' is strict and declares no field 'code.x' (did you mean 'code'?)
--! 10:35: stream 'orders' is strict and declares no field 'cdoe' (did you mean 'code'?)
--! 10:59: stream 'orders' is strict and declares no field 'stat'
