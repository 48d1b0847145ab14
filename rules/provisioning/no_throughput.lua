-- Capacity that brings nothing: nodes were added, and the work that gets done is as much as before. Something else is
-- the limit, and the nodes cost money until somebody looks.
rule "provisioning/no_throughput" {
  owner = "platform",
  doc = "capacity was added, and throughput did not rise",
  params = {
    series = "throughput", before = "10m", settle = "2m", after = "15m", effect = 0.05, min = 5, resolve = "6h",
    lateness = "15s",
  },
  key = { "cluster" },
  clock = { lateness = P"lateness" },
  inputs = {
    added = from "resource_provisioning" { type = "node", action = "ready" },
    samples = from "metrics" { name = P"series" },
  },
  detect = impact {
    event = "added", metric = { "samples", "value" }, before = P"before", settle = P"settle", after = P"after",
    worse = "lower", effect = P"effect", min = P"min",
  },
  alert = incident {
    id = "no_throughput:${cluster}", severity = "info", route = "ops", when = "not better",
    title = "${added.id} was added to ${cluster}, ${params.series} is ${verdict}: ${before} before, ${after} after",
    resolve = { after = P"resolve" },
  },
}

test "a node that brings no throughput is told, one that does is not" {
  rule = "provisioning/no_throughput",
  feed = {
    { "0s..40m/30s", "metrics", { name = "throughput", cluster = "eu", value = function(i) return 1000 + i % 9 end } },
    { "0s..40m/30s", "metrics", { name = "throughput", cluster = "us",
                                  value = function(i, t) return (t < 660 and 1000 or 1400) + i % 9 end } },
    { "10m5s", "resource_provisioning", { type = "node", action = "ready", cluster = "eu", id = "n7" } },
    { "10m5s", "resource_provisioning", { type = "node", action = "ready", cluster = "us", id = "n8" } },
  },
  expect = { { "27m5s", "info", { cluster = "eu", title = "n7 was added to eu, throughput is same: 1004 before, 1004 after" } } },
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@12m",
    "reload@12m", "rebalance@12m", "restart@12m", "lanes",
  },
}

test "a node after which less gets done is told as worse, and one without figures as unknown" {
  rule = "provisioning/no_throughput",
  feed = {
    { "0s..40m/30s", "metrics", { name = "throughput", cluster = "eu",
                                  value = function(i, t) return (t < 660 and 1400 or 1000) + i % 9 end } },
    { "10m5s", "resource_provisioning", { type = "node", action = "ready", cluster = "eu", id = "n7" } },
    { "10m5s", "resource_provisioning", { type = "node", action = "ready", cluster = "lab", id = "n9" } },
  },
  expect = { { "27m5s", "info", { cluster = "eu", title = contains "is worse" } },
             { "27m5s", "info", { cluster = "lab", title = contains "is unknown" } } },
  vary = { "shuffle<=10s", "reload@12m", "restart@12m", "lanes" },
}
