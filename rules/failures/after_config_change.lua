-- A service fails after its configuration was changed. A deploy that has failures of its own version behind it
-- explains them better: while that is told, this waits, and ends with the rollback. It stands beside after_deploy.lua.
rule "failures/after_config_change" {
  owner = "sre",
  doc = "a service fails after its configuration was changed",
  params = { within = "15m", failures = 5, resolve = "1h", wait = "30s", lateness = "10s" },
  key = { "service" },
  clock = { lateness = P"lateness" },
  dedup = { by = { "id", "type" }, within = P"within" },
  inputs = {
    change = from "config_changes" { result = "ok" },
    failed = from "failure_events" {
      type = oneof("crash", "oom_kill", "timeout", "health_check", "error"), result = any_of { missing_field(), except "ok" },
    },
    rollback = from "deploys" { type = oneof("rollback", "deploy") },
  },
  detect = join {
    left = "change", right = "failed", within = { after = P"within" }, need = { right = P"failures" },
  },
  alert = incident {
    id = "after_config_change:${service}", severity = "warn", route = "ops",
    title = "${service} failed ${right.count} times since ${left.name} was changed from ${left.from} to ${left.to}",
    inhibited_by = { rule = "failures/after_deploy", equal = { "service" }, wait = P"wait" },
    resolve = { on = { "change", "rollback" }, after = P"resolve" },
  },
}

local function each(name) -- an id for each repetition
  return function(i) return name .. i end
end

test "a configuration change is blamed when nothing was deployed" {
  rule = "failures/after_config_change",
  also = { "failures/after_deploy" },
  feed = {
    { "0s", "config_changes", { id = "e9", result = "ok", service = "pay", name = "pool", from = 20, to = 2 } },
    { "1m..5m/1m", "failure_events", { id = each "k", type = "timeout", service = "pay", version = "v8" } },
    { "10m", "deploys", { id = "e11", type = "none", service = "pay" } },
    { "12m", "config_changes", { id = "e12", result = "ok", service = "pay", name = "pool", from = 2, to = 20 } },
    { "13m", "deploys", { id = "e13", type = "none", service = "pay" } },
  },
  expect = {
    { "5m30s", "warn", { title = "pay failed 5 times since pool was changed from 20 to 2" } },
    { "12m", "ok" },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}

test "of a deploy and a configuration change the deploy is told" {
  rule = "failures/after_config_change",
  also = { "failures/after_deploy" },
  feed = {
    { "0s", "config_changes", { id = "e14", result = "ok", service = "pay", name = "pool", from = 20, to = 2 } },
    { "10s", "deploys", { id = "e15", type = "deploy", result = "ok", service = "pay", version = "v9" } },
    { "1m..5m/1m", "failure_events", { id = each "q", type = "timeout", service = "pay", version = "v9" } },
    { "20m", "deploys", { id = "e17", type = "rollback", service = "pay", version = "v8" } },
    { "21m", "deploys", { id = "e18", type = "none", service = "pay" } },
  },
  expect = { { "5m", "crit", { rule = "failures/after_deploy" } }, { "20m", "ok", { rule = "failures/after_deploy" } } },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}
