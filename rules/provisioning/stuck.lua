-- Provisioning that gets stuck: requested and never ready. What takes long depends on the kind, so the rule is there
-- twice; an overlay changes the times.
rule "provisioning/stuck_pod" {
  owner = "platform",
  doc = "a pod was created and never started",
  params = { within = "5m", wait = "30s", interval = "10m", most = 20, resolve = "6h", lateness = "10s" },
  key = { "cluster", "pod" },
  clock = { lateness = P"lateness" },
  inputs = {
    created = from "resource_provisioning" { type = "pod", action = "create" },
    started = from "resource_provisioning" { type = "pod", action = oneof("start", "delete", "evict") },
  },
  detect = join { left = "created", right = "started", within = { after = P"within" }, kind = "anti" },
  alert = incident {
    id = "stuck_pod:${cluster}:${pod}", severity = "warn", route = "ops",
    title = "${pod} of ${left.service} is not running ${params.within} after it was created",
    group = { by = { "cluster" }, wait = P"wait", interval = P"interval" },
    storm = { max = P"most", per = P"interval", rest = "summary", by = { "cluster" } },
    resolve = { on = "started", after = P"resolve" },
  },
}

rule "provisioning/stuck_node" {
  owner = "platform",
  doc = "a node or volume was asked for and is not there",
  params = { within = "15m", resolve = "24h", lateness = "10s" },
  key = { "cluster", "id" },
  clock = { lateness = P"lateness" },
  inputs = {
    asked = from "resource_provisioning" { type = oneof("node", "volume"), action = "request" },
    ready = from "resource_provisioning" { type = oneof("node", "volume"), action = oneof("ready", "failed", "delete") },
  },
  detect = join { left = "asked", right = "ready", within = { after = P"within" }, kind = "anti" },
  alert = incident {
    id = "stuck:${cluster}:${id}", severity = "warn", route = "ops",
    title = "${left.type} ${id} in ${cluster} is not ready ${params.within} after it was asked for",
    resolve = { on = "ready", after = P"resolve" },
  },
}

test "a pod that never starts is told, grouped with others of its cluster" {
  rule = "provisioning/stuck_pod",
  feed = {
    { "0s", "resource_provisioning", { type = "pod", action = "create", cluster = "eu", pod = "cart-7", service = "cart" } },
    { "10s", "resource_provisioning", { type = "pod", action = "create", cluster = "eu", pod = "cart-8", service = "cart" } },
    { "20s", "resource_provisioning", { type = "pod", action = "create", cluster = "eu", pod = "cart-9", service = "cart" } },
    { "1m", "resource_provisioning", { type = "pod", action = "start", cluster = "eu", pod = "cart-9", service = "cart" } },
    { "8m", "resource_provisioning", { type = "pod", action = "start", cluster = "eu", pod = "cart-7", service = "cart" } },
    { "9m", "resource_provisioning", { type = "pod", action = "delete", cluster = "eu", pod = "cart-8", service = "cart" } },
    { "30m", "resource_provisioning", { type = "none", cluster = "eu" } },
  },
  expect = {
    { "5m30s", "warn", { title = "2 of provisioning/stuck_pod: cart-7 of cart is not running 5m after it was created" } },
    { "9m", "ok" },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}

test "a node that comes in time is nothing to tell, one that does not is" {
  rule = "provisioning/stuck_node",
  feed = {
    { "0s", "resource_provisioning", { type = "node", action = "request", cluster = "eu", id = "n1" } },
    { "0s", "resource_provisioning", { type = "volume", action = "request", cluster = "eu", id = "v1" } },
    { "3m", "resource_provisioning", { type = "node", action = "ready", cluster = "eu", id = "n1" } },
    { "20m", "resource_provisioning", { type = "volume", action = "ready", cluster = "eu", id = "v1" } },
    { "21m", "resource_provisioning", { type = "none", cluster = "eu" } },
  },
  expect = {
    { "15m", "warn", { id = "v1", title = "volume v1 in eu is not ready 15m after it was asked for" } },
    { "20m", "ok", { id = "v1" } },
  },
  vary = {
    "shuffle<=5s", "duplicate", "delay<=5s", "future", "stall@2m",
    "reload@2m", "rebalance@2m", "restart@2m", "lanes",
  },
}
