-- Paid for and never used: a resource that became ready and of which no use was ever heard, or that lost its owner.
rule "provisioning/never_used" {
  owner = "platform",
  doc = "a resource was provisioned, and nobody used it",
  params = { within = "24h", resolve = "7d", lateness = "1m" },
  key = { "cluster", "id" },
  clock = { lateness = P"lateness" },
  inputs = {
    ready = from "resource_provisioning" { type = oneof("node", "volume", "address"), action = "ready" },
    used = from "resource_provisioning" { action = oneof("attach", "schedule", "allocate", "delete") },
  },
  detect = join { left = "ready", right = "used", within = { after = P"within" }, kind = "anti" },
  alert = incident {
    id = "never_used:${cluster}:${id}", severity = "info", route = "ops",
    title = "${left.type} ${id} in ${cluster} has been ready for ${params.within}, and nobody used it",
    resolve = { on = "used", after = P"resolve" },
  },
}

rule "provisioning/orphaned" {
  owner = "platform",
  doc = "a resource was detached and neither used again nor given back",
  params = { within = "2h", resolve = "7d", lateness = "1m" },
  key = { "cluster", "id" },
  clock = { lateness = P"lateness" },
  inputs = {
    left = from "resource_provisioning" { type = oneof("volume", "address"), action = "detach" },
    back = from "resource_provisioning" { action = oneof("attach", "delete") },
  },
  detect = join { "left", "back", within = { after = P"within" }, kind = "anti" },
  alert = incident {
    id = "orphaned:${cluster}:${id}", severity = "info", route = "ops",
    title = "${left.type} ${id} in ${cluster}, once of ${left.service}, belongs to nobody for ${params.within}",
    resolve = { on = "back", after = P"resolve" },
  },
}

test "a node that nothing was scheduled on for a day is told" {
  rule = "provisioning/never_used",
  feed = {
    { "0s", "resource_provisioning", { type = "node", action = "ready", cluster = "eu", id = "n1" } },
    { "0s", "resource_provisioning", { type = "node", action = "ready", cluster = "eu", id = "n2" } },
    { "5m", "resource_provisioning", { type = "pod", action = "schedule", cluster = "eu", id = "n2" } },
    { "25h", "resource_provisioning", { type = "node", action = "delete", cluster = "eu", id = "n1" } },
    { "26h", "resource_provisioning", { type = "none", cluster = "eu" } },
  },
  expect = { { "24h", "info", { id = "n1", title = "node n1 in eu has been ready for 24h, and nobody used it" } }, { "25h", "ok", { id = "n1" } } },
  vary = {
    "shuffle<=30s", "duplicate", "delay<=5s", "future", "stall@1h",
    "reload@1h", "rebalance@1h", "restart@1h", "lanes",
  },
}

test "a volume that was detached and forgotten is told; one that moves to another pod is not" {
  rule = "provisioning/orphaned",
  feed = {
    { "0s", "resource_provisioning", { type = "volume", action = "detach", cluster = "eu", id = "v1", service = "cart" } },
    { "0s", "resource_provisioning", { type = "volume", action = "detach", cluster = "eu", id = "v2", service = "cart" } },
    { "1m", "resource_provisioning", { type = "volume", action = "attach", cluster = "eu", id = "v2", service = "cart" } },
    { "3h", "resource_provisioning", { type = "none", cluster = "eu" } },
  },
  expect = { { "2h", "info", { id = "v1", title = "volume v1 in eu, once of cart, belongs to nobody for 2h" } } },
  vary = {
    "shuffle<=30s", "duplicate", "delay<=5s", "future", "stall@1h",
    "reload@1h", "rebalance@1h", "restart@1h", "lanes",
  },
}
