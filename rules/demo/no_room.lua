-- An event rule: the cluster has no room for a pod. It fires with the first allocation that fails and
-- resolves with the next one that succeeds; what happens between is counted, not told again.
rule "demo/no_room" {
  owner = "team-platform",
  doc = "pods of a service find no room in a zone",
  key = { "service", "az" },
  inputs = { pod = from "resource_provisioning" { action = "allocate", result = oneof("failed", "ok") } },
  detect = handler {
    on_event = function(e, ctx)
      if e.result == "ok" then
        ctx.state.set("failed", 0)
        ctx.resolve()
      elseif ctx.state.incr("failed") == 1 then
        ctx.fire { title = "no room for pods of " .. e.service .. " in " .. e.az .. ": " .. e.reason }
      end
    end,
  },
  alert = incident {
    id = "no_room:${service}:${az}", severity = "crit", route = "terminal",
    title = "pods of ${service} find room in ${az} again",
  },
}

test "the first failed allocation is told, the next ones are counted, and one that succeeds ends it" {
  rule = "demo/no_room",
  feed = {
    { "0s", "resource_provisioning",
      { action = "allocate", result = "failed", service = "cart", az = "a", reason = "quota" } },
    { "10s..1m/10s", "resource_provisioning",
      { action = "allocate", result = "failed", service = "cart", az = "a", reason = "quota" } },
    { "2m", "resource_provisioning", { action = "allocate", result = "ok", service = "cart", az = "a" } },
  },
  expect = {
    { "0s", "crit", { service = "cart", az = "a", title = "no room for pods of cart in a: quota" } },
    { "2m", "ok", { service = "cart", az = "a" } },
  },
  vary = { "duplicate", "delay<=30s", "future", "stall@30s", "reload@30s", "rebalance@30s", "restart@30s", "lanes" },
}

test "zones are told one by one, and what is no allocation does not count" {
  rule = "demo/no_room",
  feed = {
    { "0s", "resource_provisioning",
      { action = "allocate", result = "failed", service = "cart", az = "a", reason = "quota" } },
    { "5s", "resource_provisioning",
      { action = "allocate", result = "failed", service = "cart", az = "b", reason = "quota" } },
    { "10s", "resource_provisioning", { action = "release", result = "ok", service = "cart", az = "a" } },
    { "20s", "resource_provisioning", { action = "allocate", result = "ok", service = "cart", az = "b" } },
  },
  expect = { { "0s", "crit", { az = "a" } }, { "5s", "crit", { az = "b" } }, { "20s", "ok", { az = "b" } } },
  until_ = "10m", -- an hour after the newest occurrence the one of zone a would end, too
  vary = { "duplicate", "delay<=5s", "future", "stall@7s", "reload@7s", "rebalance@7s", "restart@7s", "lanes" },
}
