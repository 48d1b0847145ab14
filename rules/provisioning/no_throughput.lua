-- Capacity that brings nothing: nodes were added, and the work that gets done is as much as before. Something else is
-- the limit, and the nodes cost money until somebody looks.
rule "provisioning/no_throughput" {
  owner = "platform",
  doc = "capacity was added, and throughput did not rise",
  params = { metric = "throughput", before = "10m", settle = "2m", after = "15m", effect = 0.05 },
  key = { "cluster" },
  clock = { lateness = "15s" },
  inputs = {
    added = from "resource_provisioning" { type = "node", action = "ready" },
    metric = from "metrics" { name = P"metric" },
  },
  detect = impact {
    event = "added", metric = { "metric", "value" }, before = P"before", settle = P"settle", after = P"after",
    worse = "lower", effect = P"effect",
  },
  alert = incident {
    id = "no_throughput:${cluster}", severity = "info", route = "ops", when = "not better",
    title = "${added.id} was added to ${cluster}, ${params.metric} is ${verdict}: ${before} before, ${after} after",
    resolve = { after = "6h" },
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
  expect = { { "27m5s", "info", { cluster = "eu", title = contains "n7 was added to eu" } } },
  vary = { "shuffle<=10s", "reload@12m", "restart@12m", "lanes" },
}
