-- Detectors that can be saved, with and without events that wait for their turn.
rule "ops/scaled" {
  key = { "service" }, clock = { lateness = "10s" },
  inputs = { up = from "scalings" { result = "ok" }, err = from "requests" { code = gte(500) } },
  detect = join { "up", "err", within = { after = "1m" }, need = { right = 3 } },
  alert = incident { severity = "warn", title = "${right.count} errors after ${left.to}", resolve = { after = "10m" } },
}
rule "ops/unanswered" {
  key = { "service" },
  inputs = { asked = from "questions" {}, answer = from "answers" {} },
  detect = join { "asked", "answer", within = { after = "1m" }, kind = "anti" },
  alert = incident { resolve = { after = "5m" } },
}
rule "ops/role" {
  key = { "service" },
  inputs = { st = from "states" {} },
  detect = change { "st", of = "role", from = "primary", to = except "primary", hold = "30s" },
  alert = incident {},
}
rule "ops/counter" {
  key = { "service" }, inputs = { ev = from "events" {} },
  detect = handler {
    on_event = function(e, ctx)
      if ctx.state.incr("seen") == 3 then
        ctx.fire { title = "from " .. ctx.state.get("first") }
        ctx.timer("over", "2m")
      end
      if not ctx.state.get("first") then ctx.state.set("first", e.name) ctx.state.expire("first", "10m") end
    end,
    on_timer = function(name, ctx) ctx.resolve() end,
  },
  alert = incident { labels = { newest = "${name}", first = "${first.name}" } },
}

test "errors after a scaling, with lateness" {
  rule = "ops/scaled",
  feed = {
    { "0s", "scalings", { service = "cart", result = "ok", to = 7 } },
    { "20s..50s/10s", "requests", { service = "cart", code = 503 } },
  },
  expect = { { "40s", "warn", { title = "3 errors after 7" } }, { "10m40s", "ok" } },
  vary = { "restart@5s", "restart@25s", "restart@41s", { "restart@35s", "shuffle<=5s" }, { "restart@35s", "lanes" },
           { "restart@12s", "restart@44s" } },
}
test "what was not answered" {
  rule = "ops/unanswered",
  feed = { { "0s", "questions", { service = "cart" } }, { "30s", "questions", { service = "mail" } },
           { "40s", "answers", { service = "mail" } } },
  expect = { { "1m", "crit", { service = "cart" } }, { "6m", "ok" } },
  vary = { "restart@10s", "restart@35s", "restart@50s", "restart@2m" },
}
test "a held change" {
  rule = "ops/role",
  feed = { { "0s", "states", { service = "cart", role = "primary" } }, { "10s", "states", { service = "cart", role = "replica" } },
           { "2m", "states", { service = "cart", role = "primary" } } },
  expect = { { "40s", "crit" }, { "2m", "ok" } },
  vary = { "restart@5s", "restart@20s", "restart@1m" },
}
test "values and timers of a handler" {
  rule = "ops/counter",
  feed = { { "0s..20s/10s", "events", { service = "cart", name = function(i) return "e" .. i end } },
           { "5s", "events", { service = "mail", name = "m" } } },
  expect = { { "20s", "crit", { title = "from e1", newest = "e3", first = "e1" } }, { "2m20s", "ok" } },
  vary = { "restart@1s", "restart@15s", "restart@1m", { "restart@15s", "restart@1m", "lanes" } },
}
