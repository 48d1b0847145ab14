-- Did it help? A scale-out is made for latency, errors or saturation; whether one of them came down is asked by nobody
-- once the autoscaler has said "ok". And a scale-in must make none of them worse. One rule a metric judges every change
-- of size and hands its verdict on in the stream scaling_verdicts; two more bring the three verdicts together.
local function verdict_on(metric, series)
  return {
    owner = "platform",
    doc = "what a change of size did to the " .. metric .. " of a service",
    params = { series = series, before = "5m", settle = "1m", after = "10m", effect = 0.1, min = 5, lateness = "15s" },
    key = { "service" },
    clock = { lateness = P"lateness" },
    dedup = { by = "id", within = P"after" }, -- samples have no id
    inputs = {
      scaled = from "scaling_events" { action = oneof("scale_out", "scale_in"), result = "ok" },
      samples = from "metrics" { name = P"series" },
    },
    detect = impact {
      event = "scaled", metric = { "samples", "value" }, before = P"before", settle = P"settle", after = P"after",
      worse = "higher", effect = P"effect", min = P"min",
    },
    emit = to "scaling_verdicts" {
      metric = metric, verdict = "${verdict}", before = "${before}", after = "${after}", effect = "${effect}",
      action = "${scaled.action}", from = "${scaled.from}", to = "${scaled.to}", scaled_at = "${scaled.@time}",
    },
  }
end

rule "scaling/latency_verdict" (verdict_on("latency", "api_latency_p99"))
rule "scaling/errors_verdict" (verdict_on("errors", "error_ratio"))
rule "scaling/saturation_verdict" (verdict_on("saturation", "cpu_percent"))

-- Verdicts of two changes that follow one another closely must not be mixed.
local function of_one_change(g)
  return g.latency.scaled_at == g.errors.scaled_at and g.errors.scaled_at == g.saturation.scaled_at
end

local function any(g, verdict)
  return g.latency.verdict == verdict or g.errors.verdict == verdict or g.saturation.verdict == verdict
end

rule "scaling/out_without_effect" {
  owner = "platform",
  doc = "a service was scaled out, and neither latency nor errors nor saturation came down",
  params = { within = "1m", resolve = "1h" },
  key = { "service" },
  inputs = {
    latency = from "scaling_verdicts" { action = "scale_out", metric = "latency" },
    errors = from "scaling_verdicts" { action = "scale_out", metric = "errors" },
    saturation = from "scaling_verdicts" { action = "scale_out", metric = "saturation" },
  },
  detect = together { "latency", "errors", "saturation", within = P"within",
    where = function(g)
      return of_one_change(g) and not any(g, "better") and (any(g, "same") or any(g, "worse"))
    end },
  alert = incident {
    id = "out_without_effect:${service}", severity = "warn", route = "ops",
    title = "${service} was scaled out from ${latency.from} to ${latency.to}, and nothing got better",
    body = "latency ${latency.verdict} (${latency.before} -> ${latency.after}), errors ${errors.verdict} " ..
      "(${errors.before} -> ${errors.after}), saturation ${saturation.verdict} " ..
      "(${saturation.before} -> ${saturation.after})",
    resolve = { after = P"resolve" },
  },
}

rule "scaling/in_hurts" {
  owner = "platform",
  doc = "a service was scaled in, and latency, errors or saturation went up",
  params = { within = "1m", effect = 0.2, resolve = "1h" },
  key = { "service" },
  inputs = {
    latency = from "scaling_verdicts" { action = "scale_in", metric = "latency" },
    errors = from "scaling_verdicts" { action = "scale_in", metric = "errors" },
    saturation = from "scaling_verdicts" { action = "scale_in", metric = "saturation" },
    grown = from "scaling_events" { action = "scale_out", result = "ok" },
  },
  detect = together { "latency", "errors", "saturation", within = P"within",
    where = function(g)
      local function hurts(v) -- from nothing to something is no share of anything
        return v.verdict == "worse" and (v.effect == nil or v.effect >= P"effect")
      end
      return of_one_change(g) and (hurts(g.latency) or hurts(g.errors) or hurts(g.saturation))
    end },
  alert = incident {
    id = "in_hurts:${service}", severity = "warn", route = "ops",
    title = "${service} was scaled in from ${latency.from} to ${latency.to}, and it shows: latency ${latency.verdict}, " ..
      "errors ${errors.verdict}, saturation ${saturation.verdict}",
    body = "latency ${latency.before} -> ${latency.after}, errors ${errors.before} -> ${errors.after}, " ..
      "saturation ${saturation.before} -> ${saturation.after}",
    resolve = { on = "grown", after = P"resolve" },
  },
}

local verdicts = { "scaling/latency_verdict", "scaling/errors_verdict", "scaling/saturation_verdict" }

test "a scale-out after which nothing comes down is told, one that helps one metric is not" {
  rule = "scaling/out_without_effect",
  also = verdicts,
  feed = {
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "cart", value = function(i) return 900 + i % 7 end } },
    { "0s..20m/30s", "metrics", { name = "cpu_percent", service = "cart", value = function(i) return 95 + i % 3 end } },
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "pay",
                                  value = function(i, t) return (t < 360 and 900 or 300) + i % 7 end } },
    { "0s..20m/30s", "metrics", { name = "cpu_percent", service = "pay", value = 60 } },
    { "0s..20m/30s", "metrics", { name = "error_ratio", service = "pay", value = 0 } },
    { "5m5s", "scaling_events", { id = "e1", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "5m5s", "scaling_events", { id = "e2", action = "scale_out", result = "ok", service = "pay", from = 4, to = 8 } },
  },
  expect = {
    { "16m5s", "warn", {
      service = "cart", title = "cart was scaled out from 4 to 8, and nothing got better",
      body = prefix "latency same (903 -> 902.8), errors unknown ( -> ), saturation same (9" } },
    { "16m5s", "emit", { service = "cart", metric = "latency", verdict = "same", action = "scale_out", from = 4, to = 8 } },
    { "16m5s", "emit", { service = "cart", metric = "errors", verdict = "unknown" } },
    { "16m5s", "emit", { service = "cart", metric = "saturation", verdict = "same" } },
    { "16m5s", "emit", { service = "pay", metric = "latency", verdict = "better" } },
    { "16m5s", "emit", { service = "pay", metric = "errors", verdict = "same" } },
    { "16m5s", "emit", { service = "pay", metric = "saturation", verdict = "same" } },
  },
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@8m",
    "reload@8m", "rebalance@8m", "restart@8m", "lanes",
  },
}

test "without any metric there is no verdict and nothing to tell" {
  rule = "scaling/out_without_effect",
  also = verdicts,
  feed = { { "5m", "scaling_events", { id = "e3", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } } },
  expect = {
    { "16m", "emit", { metric = "latency", verdict = "unknown" } },
    { "16m", "emit", { metric = "errors", verdict = "unknown" } },
    { "16m", "emit", { metric = "saturation", verdict = "unknown" } },
  },
  until_ = "17m",
  vary = { "duplicate", "delay<=10s", "future", "stall@8m", "reload@8m", "rebalance@8m", "restart@8m", "lanes" },
}

test "a scale-in that slows a service down is told, and the next scale-out ends it" {
  rule = "scaling/in_hurts",
  also = verdicts,
  feed = {
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "cart",
                                  value = function(i, t) return (t < 360 and 200 or 500) + i % 7 end } },
    { "0s..20m/30s", "metrics", { name = "cpu_percent", service = "cart",
                                  value = function(i, t) return (t < 360 and 50 or 57) + i % 2 end } },
    { "0s..20m/30s", "metrics", { name = "error_ratio", service = "cart", value = 0 } },
    { "5m5s", "scaling_events", { id = "e4", action = "scale_in", result = "ok", service = "cart", from = 8, to = 4 } },
    { "18m", "scaling_events", { id = "e5", action = "scale_out", result = "ok", service = "cart", from = 4, to = 8 } },
    { "19m", "scaling_events", { id = "e6", action = "none", service = "cart" } },
  },
  expect = {
    { "16m5s", "warn", {
      service = "cart",
      title = "cart was scaled in from 8 to 4, and it shows: latency worse, errors same, saturation worse" } },
    { "18m", "ok" },
    { "16m5s", "emit", { metric = "latency", verdict = "worse", action = "scale_in" } },
    { "16m5s", "emit", { metric = "errors", verdict = "same" } },
    { "16m5s", "emit", { metric = "saturation", verdict = "worse" } },
  },
  until_ = "20m",
  vary = {
    "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@8m",
    "reload@8m", "rebalance@17m", "restart@8m", "lanes",
  },
}

test "errors that were not there before hurt, too; a processor that is a little busier does not" {
  rule = "scaling/in_hurts",
  also = verdicts,
  feed = {
    { "0s..20m/30s", "metrics", { name = "error_ratio", service = "cart",
                                  value = function(i, t) return t < 360 and 0 or 0.1 + i % 3 / 100 end } },
    { "0s..20m/30s", "metrics", { name = "cpu_percent", service = "pay",
                                  value = function(i, t) return (t < 360 and 50 or 57) + i % 2 end } },
    { "5m5s", "scaling_events", { id = "e7", action = "scale_in", result = "ok", service = "cart", from = 8, to = 4 } },
    { "5m5s", "scaling_events", { id = "e8", action = "scale_in", result = "ok", service = "pay", from = 8, to = 4 } },
  },
  expect = {
    { "16m5s", "warn", { service = "cart", title = contains "errors worse" } },
    { "16m5s", "emit", { service = "cart", metric = "latency", verdict = "unknown" } },
    { "16m5s", "emit", { service = "cart", metric = "errors", verdict = "worse" } },
    { "16m5s", "emit", { service = "cart", metric = "saturation", verdict = "unknown" } },
    { "16m5s", "emit", { service = "pay", metric = "latency", verdict = "unknown" } },
    { "16m5s", "emit", { service = "pay", metric = "errors", verdict = "unknown" } },
    { "16m5s", "emit", { service = "pay", metric = "saturation", verdict = "worse" } },
  },
  vary = { "duplicate", "delay<=5s", "future", "stall@8m", "reload@8m", "rebalance@8m", "restart@8m", "lanes" },
}
