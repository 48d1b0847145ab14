-- What a failure did to those that are left: when a pod goes, the others carry its load, and the next one to fail is
-- among them. exhaustion.lua looks at processor and memory before a failure, this at what they are afterwards.
local function rise_of(series, what)
  return {
    owner = "sre",
    doc = what .. " of a service is higher after one of its pods failed",
    params = {
      series = series, before = "5m", settle = "30s", after = "5m", effect = 0.2, min = 5, resolve = "30m",
      lateness = "15s",
    },
    key = { "service" },
    clock = { lateness = P"lateness" },
    dedup = { by = "type", within = P"before" }, -- a storm of failures is one; samples have no type, and all count
    inputs = {
      failed = from "failure_events" { type = oneof("crash", "oom_kill", "evict") },
      samples = from "metrics" { name = P"series" },
    },
    detect = impact {
      event = "failed", metric = { "samples", "value" }, before = P"before", settle = P"settle", after = P"after",
      worse = "higher", effect = P"effect", min = P"min",
    },
    alert = incident {
      id = what .. "_after_failure:${service}", severity = "warn", route = "ops",
      title = what .. " of ${service} went from ${before} % to ${after} % after ${failed.pod} failed (${failed.reason})",
      resolve = { after = P"resolve" },
    },
  }
end

rule "failures/cpu_after" (rise_of("cpu_percent", "cpu"))
rule "failures/memory_after" (rise_of("memory_percent", "memory"))

test "the pods that are left carry the load of the one that crashed" {
  rule = "failures/cpu_after",
  feed = {
    { "0s..12m/30s", "metrics", { name = "cpu_percent", service = "cart", pod = "cart-2",
                                  value = function(i, t) return (t <= 300 and 50 or 80) + i % 3 end } },
    { "0s..12m/30s", "metrics", { name = "cpu_percent", service = "pay", value = function(i) return 50 + i % 3 end } },
    { "5m5s", "failure_events", { type = "crash", service = "cart", pod = "cart-1", reason = "exit 137" } },
    { "5m8s", "failure_events", { type = "crash", service = "cart", pod = "cart-3", reason = "exit 137" } },
    { "5m5s", "failure_events", { type = "crash", service = "pay", pod = "pay-1", reason = "exit 1" } },
  },
  expect = {
    { "10m35s", "warn", { service = "cart", title = "cpu of cart went from 51.1 % to 81 % after cart-1 failed (exit 137)" } },
    { "40m35s", "ok", { service = "cart" } },
  },
  vary = {
    "shuffle<=1s", "duplicate", "delay<=5s", "future", "stall@8m",
    "reload@8m", "rebalance@8m", "restart@8m", "lanes",
  },
}

test "memory that others take over is told in the same way" {
  rule = "failures/memory_after",
  feed = {
    { "0s..12m/30s", "metrics", { name = "memory_percent", service = "cart", pod = "cart-2",
                                  value = function(i, t) return (t <= 300 and 40 or 70) + i % 3 end } },
    { "5m5s", "failure_events", { type = "oom_kill", service = "cart", pod = "cart-1", reason = "exit 137" } },
  },
  expect = {
    { "10m35s", "warn", { title = "memory of cart went from 41.1 % to 71 % after cart-1 failed (exit 137)" } },
  },
  until_ = "12m",
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@8m",
    "reload@8m", "rebalance@8m", "restart@8m", "lanes",
  },
}
