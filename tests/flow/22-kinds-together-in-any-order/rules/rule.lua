rule "ops/out_of_memory" {
  key = { "host" },
  inputs = { oom = from "logs" { kind = "oom" }, mem = from "metrics" { name = "memory" }, restart = from "restarts" {} },
  detect = together {
    "mem", "oom", "restart", within = "30s",
    where = function(g) return g.mem.value > 95 and g.restart["@time"] >= g.oom["@time"] end,
  },
  alert = incident { id = "oom:${host}:${restart.pod}", title = "${restart.pod} at ${mem.value} %" },
}
