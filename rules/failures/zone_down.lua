-- One zone failing instead of a hundred hosts: when hosts of a zone fail one after the other, the zone is
-- the incident, and the hosts' own pages wait for it. Failing checks are repeated, and the zone ends `calm` after few
-- are left, so it lasts longer than what it hides; of events that come only once, count who is down now instead.
rule "failures/zone_down" {
  owner = "sre",
  doc = "many hosts of one zone fail at once",
  params = { over = "2m", hosts = 5, clear = 2, calm = "5m", lateness = "5s" },
  key = { "az" },
  clock = { lateness = P"lateness" },
  inputs = {
    failed = from "failure_events" {
      type = oneof("crash", "host_down", "health_check", "timeout"), result = any_of { missing_field(), except "ok" },
    },
  },
  detect = level {
    of = distinct("failed", "host"), over = P"over",
    crit = { at_least = P"hosts", clear = P"clear", clear_hold = P"calm" },
  },
  alert = incident {
    id = "zone_down:${az}", route = "ops",
    title = "zone ${az}: ${value} hosts failed within ${params.over}",
  },
}

rule "failures/host_down" {
  owner = "sre",
  doc = "a host fails its health checks and does not come back",
  params = { over = "2m", fire = 3, wait = "30s", lateness = "5s" },
  key = { "host" },
  clock = { lateness = P"lateness" },
  dedup = { by = "id", within = P"over" },
  inputs = {
    failed = from "failure_events" {
      type = oneof("host_down", "health_check"), result = any_of { missing_field(), except "ok" },
    },
  },
  detect = level {
    of = count "failed", over = P"over",
    warn = { at_least = P"fire" },
  },
  alert = incident {
    id = "host_down:${host}", route = "ops",
    labels = { az = "${az}" },
    title = "${host} in ${az} failed ${value} checks in ${params.over}",
    inhibited_by = { rule = "failures/zone_down", equal = { "az" }, wait = P"wait" },
  },
}

local function each(name) -- an id for each repetition
  return function(i) return name .. i end
end

test "seven hosts of a zone are one page" {
  rule = "failures/host_down",
  also = { "failures/zone_down" },
  feed = {
    { "0s..40s/20s", "failure_events", { id = each "b", type = "health_check", host = "h1", az = "eu-1b" } },
    { "2s..42s/20s", "failure_events", { id = each "c", type = "health_check", host = "h2", az = "eu-1b" } },
    { "4s..44s/20s", "failure_events", { id = each "d", type = "health_check", host = "h3", az = "eu-1b" } },
    { "6s..46s/20s", "failure_events", { id = each "e", type = "health_check", host = "h4", az = "eu-1b" } },
    { "8s..48s/20s", "failure_events", { id = each "f", type = "health_check", host = "h5", az = "eu-1b" } },
    { "10s..50s/20s", "failure_events", { id = each "g", type = "health_check", host = "h6", az = "eu-1b" } },
    { "12s..52s/20s", "failure_events", { id = each "h", type = "health_check", host = "h7", az = "eu-1b" } },
    { "1m..20m/10s", "failure_events", { id = each "i", type = "health_check", result = "ok", host = "h1", az = "eu-1b" } },
  },
  expect = {
    { "8s", "crit", { az = "eu-1b", rule = "failures/zone_down", title = "zone eu-1b: 5 hosts failed within 2m" } },
    { "7m48s", "ok", { az = "eu-1b" } },
  },
  vary = {
    "shuffle<=4s", "duplicate", "delay<=5s", "future", "stall@30s",
    "reload@30s", "rebalance@30s", "restart@30s", "lanes",
  },
}

test "one host alone is paged for itself, after a wait for its zone" {
  rule = "failures/host_down",
  also = { "failures/zone_down" },
  feed = {
    { "0s..1m/20s", "failure_events", { id = each "j", type = "health_check", host = "h1", az = "eu-1b" } },
    { "1m..10m/5s", "failure_events", { id = each "k", type = "health_check", result = "ok", host = "h1", az = "eu-1b" } },
  },
  expect = {
    { "1m10s", "warn", { host = "h1", az = "eu-1b", title = "h1 in eu-1b failed 4 checks in 2m" } },
    { "2m20s", "ok", { host = "h1" } },
  },
  vary = {
    "shuffle<=4s", "duplicate", "delay<=5s", "future", "stall@30s",
    "reload@30s", "rebalance@30s", "restart@30s", "lanes",
  },
}
