-- What a strict stream declares may be named, and what is not certain to be a field of it is let pass.
local function late(e) return e.nothing_known end

rule "team/strict" {
  key    = { "service" },
  clock  = { time = "ts" },
  dedup  = { by = "service", within = "10m" },
  inputs = {
    ev = from "orders" { code = gte(500), ["labels.zone"] = "a", ["tags[0]"] = exists(), detail = exists(),
                         where = function(e) return e.code > 1 and e["@time"] > 0 and e.detail.kind .. e.host ~= e.labels.b.c end },
    up = from "events" { where = late, ts = 1 },
    on = from "orders" { where = function(e)
      local seen = { e = 1 }
      for _, e in ipairs(e.tags) do if e.any then return true end end
      return e.host:lower() == e.service and seen.e == 1
    end },
    of = from "orders" { where = function(e) local x, e = 1, { cod = 5 } return e.cod == x end },
  },
  detect = level { of = sum("ev", "code") / count("up", { stat = "x" }), over = "5m", crit = { above = 3 },
    nodata = { after = "1h", be = "keep" } },
  enrich = { owner = lookup { "staff", key = "service", miss = { chat = "#sre" } } },
  alert  = incident { title = "${first.code} ${labels.a.b} ${whatever} ${owner.team} ${owner.chat} ${owner.on_call.name}" },
}
