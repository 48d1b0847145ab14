-- Did it help? A scale-out is made for latency (or errors, or saturation); whether these came down is asked by nobody
-- once the autoscaler has said "ok". And a scale-in must not make them worse.
rule "scaling/out_without_effect" {
  owner = "platform",
  doc = "a service was scaled out, and its latency did not come down",
  params = { metric = "api_latency_p99", before = "5m", settle = "1m", after = "10m", effect = 0.1 },
  key = { "service" },
  clock = { lateness = "15s" },
  inputs = {
    scaled = from "scaling_events" { action = "scale_out", result = "ok" },
    metric = from "metrics" { name = P"metric" },
  },
  detect = impact {
    event = "scaled", metric = { "metric", "value" }, before = P"before", settle = P"settle", after = P"after",
    worse = "higher", effect = P"effect",
  },
  alert = incident {
    id = "out_without_effect:${service}", severity = "warn", route = "ops", when = "not better",
    title = "${service} was scaled out to ${scaled.to}, ${params.metric} is ${verdict}: ${before} before, ${after} after",
  },
}

rule "scaling/in_hurts" {
  owner = "platform",
  doc = "a service was scaled in, and its latency went up",
  params = { metric = "api_latency_p99", before = "5m", settle = "1m", after = "10m", effect = 0.2 },
  key = { "service" },
  clock = { lateness = "15s" },
  inputs = {
    scaled = from "scaling_events" { action = "scale_in", result = "ok" },
    metric = from "metrics" { name = P"metric" },
    grown = from "scaling_events" { action = "scale_out", result = "ok" },
  },
  detect = impact {
    event = "scaled", metric = { "metric", "value" }, before = P"before", settle = P"settle", after = P"after",
    worse = "higher", effect = P"effect",
  },
  alert = incident {
    id = "in_hurts:${service}", severity = "warn", route = "ops", when = "worse",
    title = "${service} was scaled in to ${scaled.to} and got slower: ${params.metric} ${before} before, ${after} after",
    resolve = { on = "grown", after = "1h" },
  },
}

test "latency that stays high says that the scale-out did not help" {
  rule = "scaling/out_without_effect",
  feed = {
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "cart", value = function(i) return 900 + i % 7 end } },
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "pay",
                                  value = function(i, t) return (t < 360 and 900 or 300) + i % 7 end } },
    { "5m5s", "scaling_events", { action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "5m5s", "scaling_events", { action = "scale_out", result = "ok", service = "pay", from = 4, to = 8 } },
  },
  expect = { { "16m5s", "warn", { service = "cart", title = contains "is same" } } },
  vary = { "shuffle<=10s", "reload@8m", "restart@8m", "lanes" },
}

test "a scale-in that slows a service down is told, and the next scale-out ends it" {
  rule = "scaling/in_hurts",
  feed = {
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "cart",
                                  value = function(i, t) return (t < 360 and 200 or 500) + i % 7 end } },
    { "5m5s", "scaling_events", { action = "scale_in", result = "ok", service = "cart", from = 8, to = 4 } },
    { "18m", "scaling_events", { action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "19m", "scaling_events", { action = "none", service = "cart" } },
  },
  expect = { { "16m5s", "warn", { service = "cart" } }, { "18m", "ok" } },
  vary = { "shuffle<=10s", "reload@8m", "restart@8m", "lanes" },
}
