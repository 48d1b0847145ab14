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
