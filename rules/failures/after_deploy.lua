-- A service fails after it was deployed. What else changed at that time is innocent until it has a failure of the same
-- version behind it, so the failures must carry the version that went out.
rule "failures/after_deploy" {
  owner = "sre",
  doc = "the version that just went out fails",
  params = { within = "10m", failures = 5, resolve = "1h", lateness = "10s" },
  key = { "service" },
  clock = { lateness = P"lateness" },
  dedup = { by = { "id", "type" }, within = P"within" },
  inputs = {
    deploy = from "deploys" { type = "deploy", result = "ok" },
    failed = from "failure_events" {
      type = oneof("crash", "oom_kill", "timeout", "health_check", "error"), result = any_of { missing_field(), except "ok" },
    },
    rollback = from "deploys" { type = oneof("rollback", "deploy") },
  },
  detect = join {
    left = "deploy", right = "failed", within = { after = P"within" }, need = { right = P"failures" },
    where = function(l, r) return r.version == l.version end,
  },
  alert = incident {
    id = "after_deploy:${service}", severity = "crit", route = "ops",
    title = "${left.version} of ${service} failed ${right.count} times since it went out, last: ${right.last.reason}",
    resolve = { on = "rollback", after = P"resolve" },
  },
}

local function each(name) -- an id for each repetition
  return function(i) return name .. i end
end

test "five failures of the new version are its fault, those of the old one are not" {
  rule = "failures/after_deploy",
  feed = {
    { "0s", "deploys", { id = "e1", type = "deploy", result = "ok", service = "pay", version = "v9" } },
    { "30s..4m30s/1m", "failure_events", { id = each "c", type = "timeout", service = "pay", version = "v9", reason = "db" } },
    { "10s..5m/10s", "failure_events", { id = each "d", type = "timeout", service = "pay", version = "v8" } },
    { "9m", "deploys", { id = "e4", type = "rollback", service = "pay", version = "v8" } },
    { "10m", "deploys", { id = "e5", type = "none", service = "pay" } },
  },
  expect = {
    { "4m30s", "crit", { service = "pay", title = "v9 of pay failed 5 times since it went out, last: db" } },
    { "9m", "ok" },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}

test "a deploy that does well is nothing to tell" {
  rule = "failures/after_deploy",
  feed = {
    { "0s", "deploys", { id = "e6", type = "deploy", result = "ok", service = "pay", version = "v9" } },
    { "30s..3m30s/1m", "failure_events", { id = each "h", type = "timeout", service = "pay", version = "v9" } },
    { "20m", "failure_events", { id = "e8", type = "timeout", service = "pay", version = "v9" } },
  },
  expect = {},
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}
