-- A container that comes up and dies again: restarts of one service in one place, counted over a while. A
-- rolling deploy restarts each pod once, so the limit is by pod and not by service.
rule "failures/crash_loop" {
  owner = "sre",
  doc = "a pod restarts again and again",
  params = { over = "10m", fire = 5, calm = "10m", wait = "30s", interval = "5m", lateness = "10s" },
  key = { "service", "pod" },
  clock = { lateness = P"lateness" },
  dedup = { by = "id", within = P"over" },
  inputs = { died = from "failure_events" { type = oneof("crash", "restart", "oom_kill") } },
  detect = level {
    of = count "died", over = P"over",
    crit = { at_least = P"fire", clear_hold = P"calm" },
  },
  alert = incident {
    id = "crash_loop:${service}:${pod}", route = "ops",
    title = "${pod} of ${service} died ${value} times in ${params.over}: ${reason}",
    group = { by = { "service" }, wait = P"wait", interval = P"interval" },
  },
}

local function each(name) -- an id for each repetition
  return function(i) return name .. i end
end

test "five crashes in ten minutes are a loop, four are not" {
  rule = "failures/crash_loop",
  feed = {
    { "0s..4m/1m", "failure_events", { type = "crash", service = "cart", pod = "cart-1", reason = "exit 137",
                                       id = each "a" } },
    { "0s..3m/1m", "failure_events", { type = "crash", service = "cart", pod = "cart-2", reason = "exit 1",
                                       id = each "b" } },
    { "5m..40m/30s", "failure_events", { type = "health", service = "cart", pod = "cart-1" } },
  },
  expect = {
    { "4m30s", "crit", { service = "cart", title = "cart-1 of cart died 5 times in 10m: exit 137" } },
    { "20m", "ok", { service = "cart" } },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@3m",
    "reload@3m", "rebalance@3m", "restart@3m", "lanes",
  },
}
