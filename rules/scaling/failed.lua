-- A scale-out that fails, or of which nobody ever hears again. Both leave a service too small for its load; the
-- second one is found by nobody who only looks at error messages.
rule "scaling/failed" {
  owner = "platform",
  doc = "a scale-out was refused",
  params = { over = "10m", warn = 1, crit = 3 },
  key = { "service" },
  dedup = { by = { "id", "result" }, within = P"over" },
  inputs = {
    failed = from "scaling_events" { action = "scale_out", result = "failed" },
    ok = from "scaling_events" { action = "scale_out", result = "ok" },
  },
  detect = level {
    of = count "failed", over = P"over",
    warn = { at_least = P"warn" },
    crit = { at_least = P"crit" },
  },
  alert = incident {
    id = "scaling_failed:${service}", route = "ops",
    title = "${service} cannot grow to ${to}: ${reason}",
    resolve = { on = "ok" },
  },
}

rule "scaling/unanswered" {
  owner = "platform",
  doc = "a scale-out was asked for, and nothing came of it",
  params = { within = "10m", resolve = "1h", lateness = "10s" },
  key = { "service", "id" },
  clock = { lateness = P"lateness" },
  inputs = {
    asked = from "scaling_events" { action = "scale_out", result = "requested" },
    done = from "scaling_events" { action = "scale_out", result = oneof("ok", "failed") },
  },
  detect = join { left = "asked", right = "done", within = { after = P"within" }, kind = "anti" },
  alert = incident {
    id = "scaling_unanswered:${service}", severity = "warn", route = "ops",
    title = "nothing came of growing ${service} from ${left.from} to ${left.to} for ${params.within}",
    resolve = { after = P"resolve" },
  },
}

local function each(name) -- an id for each repetition
  return function(i) return name .. i end
end

test "one refusal warns, three are critical, the next success ends it" {
  rule = "scaling/failed",
  feed = {
    { "0s..4m/2m", "scaling_events", { id = each "b", action = "scale_out", result = "failed", service = "cart", from = 4, to = 8,
                                       reason = "no room" } },
    { "6m", "scaling_events", { id = "e2", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "30m", "scaling_events", { id = "e3", action = "scale_in", result = "ok", service = "cart" } },
  },
  expect = {
    { "0s", "warn", { service = "cart" } },
    { "4m", "crit", { service = "cart", title = "cart cannot grow to 8: no room" } },
    { "6m", "ok" },
  },
  vary = { "duplicate", "delay<=30s", "future", "stall@3m", "reload@3m", "rebalance@3m", "restart@3m", "lanes" },
}

test "what was asked for and never answered is told when its time is over" {
  rule = "scaling/unanswered",
  feed = {
    { "0s", "scaling_events", { id = "s1", action = "scale_out", result = "requested", service = "cart", from = 4, to = 8 } },
    { "1m", "scaling_events", { id = "s2", action = "scale_out", result = "requested", service = "pay", from = 2, to = 3 } },
    { "3m", "scaling_events", { id = "s2", action = "scale_out", result = "ok", service = "pay" } },
    { "2h", "scaling_events", { id = "s9", action = "none", service = "pay" } },
  },
  expect = {
    { "10m", "warn", { service = "cart", title = "nothing came of growing cart from 4 to 8 for 10m" } },
    { "1h10m", "ok" },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@5m",
    "reload@5m", "rebalance@5m", "restart@5m", "lanes",
  },
}
