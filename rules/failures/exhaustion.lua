-- A crash with a full memory (or a saturated processor) shortly before it: the reason stands in the metrics and not
-- in the log of what crashed.
rule "failures/exhausted_memory" {
  owner = "sre",
  doc = "a pod crashes after its memory was full",
  params = { full = 90, before = "5m", resolve = "30m", lateness = "15s" },
  key = { "service", "pod" },
  clock = { lateness = P"lateness" },
  inputs = {
    memory = from "metrics" { name = "memory_percent", value = gte(P"full") },
    crash = from "failure_events" { type = oneof("crash", "oom_kill") },
  },
  detect = join { left = "crash", right = "memory", within = { before = P"before" }, emit = "on_close" },
  alert = incident {
    id = "exhausted_memory:${service}:${pod}", severity = "warn", route = "ops",
    title = "${pod} of ${service} crashed (${left.reason}) with its memory ${right.last.value} % full",
    resolve = { after = P"resolve" },
  },
}

rule "failures/exhausted_cpu" {
  owner = "sre",
  doc = "a service times out after its processor was saturated",
  params = { full = 95, before = "5m", resolve = "30m", lateness = "15s" },
  key = { "service", "pod" },
  clock = { lateness = P"lateness" },
  inputs = {
    cpu = from "metrics" { name = "cpu_percent", value = gte(P"full") },
    failed = from "failure_events" {
      type = oneof("timeout", "health_check"), result = any_of { missing_field(), except "ok" },
    },
  },
  detect = join { left = "failed", right = "cpu", within = { before = P"before" }, emit = "on_close" },
  alert = incident {
    id = "exhausted_cpu:${service}:${pod}", severity = "warn", route = "ops",
    title = "${pod} of ${service} does not answer with its processor ${right.last.value} % busy",
    resolve = { after = P"resolve" },
  },
}

test "a crash after a full memory says so; one with room does not" {
  rule = "failures/exhausted_memory",
  feed = {
    { "0s..4m/30s", "metrics", { name = "memory_percent", service = "cart", pod = "cart-1",
                                 value = function(i) return 54 + 5 * i end } },
    { "0s..4m/30s", "metrics", { name = "memory_percent", service = "cart", pod = "cart-2", value = 50 } },
    { "4m10s", "failure_events", { type = "oom_kill", service = "cart", pod = "cart-1", reason = "exit 137" } },
    { "4m10s", "failure_events", { type = "crash", service = "cart", pod = "cart-2", reason = "exit 1" } },
    { "40m", "metrics", { name = "other" } },
  },
  expect = {
    { "4m10s", "warn", { pod = "cart-1", title = "cart-1 of cart crashed (exit 137) with its memory 99 % full" } },
    { "34m10s", "ok", { pod = "cart-1" } },
  },
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}

test "a timeout of a saturated pod names the processor" {
  rule = "failures/exhausted_cpu",
  feed = {
    { "0s..2m/30s", "metrics", { name = "cpu_percent", service = "pay", pod = "p1", value = 97 } },
    { "2m20s", "failure_events", { type = "timeout", service = "pay", pod = "p1" } },
    { "40m", "metrics", { name = "other" } },
  },
  expect = { { "2m20s", "warn", { pod = "p1", title = "p1 of pay does not answer with its processor 97 % busy" } }, { "32m20s", "ok" } },
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@1m",
    "reload@1m", "rebalance@1m", "restart@1m", "lanes",
  },
}
