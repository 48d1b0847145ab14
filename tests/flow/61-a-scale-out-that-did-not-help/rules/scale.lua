-- SPDX-License-Identifier: Apache-2.0
rule "infra/scale_out_effect" {
  owner = "team-infra", key = { "service" },
  inputs = { scaled  = from "scaling_events" { action = "scale_out", result = "ok" },
             latency = from "metrics" { name = "api_latency_p99" } },
  detect = impact { event = "scaled", metric = { "latency", "value" }, before = "5m", after = "10m",
                    settle = "1m", worse = "higher", min = 10 },
  alert  = incident { id = "scale:${service}", severity = "warn", when = "not better", route = "ops",
                      title = "${service} at ${scaled.replicas}: ${verdict}" },
}
