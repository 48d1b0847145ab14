rule "a/top" {
  key = { "host" },
  inputs = { e = from "events" {} },
  detect = level {
    of = { n = count "e", who = topk("e", "user", 2) },
    over = "1m",
    crit = { when = function(v) return v.n > 1 end },
  },
  alert = incident { id = "top:${host}", title = "${who[0].value} leads", body = "${user} came last" },
}

rule "a/fired" {
  key = { "host" },
  inputs = { e = from "events" {} },
  detect = handler {
    on_event = function(e, ctx) ctx.fire { id = "fired:" .. e.user, labels = { user = e.user }, title = e.user .. " was there" } end,
  },
  alert = incident { severity = "warn", resolve = { after = "30s" } },
}
