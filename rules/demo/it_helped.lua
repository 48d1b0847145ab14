-- A rule on what other rules found: the package `scaling` judges every change of size and hands its verdicts on in a
-- stream. It pages nobody when all is well; here it is told, so that one sees it.
rule "demo/it_helped" {
  owner = "team-platform",
  doc = "a scale-out that brought the latency down",
  key = { "service" },
  inputs = { verdict = from "scaling_verdicts" { action = "scale_out", metric = "latency", verdict = "better" } },
  detect = seq { { "verdict", as = "v" } },
  alert = incident {
    id = "helped:${service}", severity = "info", route = "terminal", resolved = false,
    title = "${service} was scaled out from ${v.from} to ${v.to}, and its latency went from ${v.before} to ${v.after}",
  },
}

test "a scale-out that helped is told once" {
  rule = "demo/it_helped",
  also = { "scaling/latency_verdict" },
  feed = {
    { "0s..20m/30s", "metrics", { name = "api_latency_p99", service = "pay",
                                  value = function(i, t) return (t < 360 and 900 or 300) + i % 7 end } },
    { "5m5s", "scaling_events", { id = "e1", action = "scale_out", result = "ok", service = "pay", from = 4, to = 8 } },
  },
  expect = {
    { "16m5s", "emit", { verdict = "better" } },
    { "16m5s", "info", { title = prefix "pay was scaled out from 4 to 8, and its latency went from 903 to 302" } },
  },
  vary = { "shuffle<=10s", "duplicate", "delay<=5s", "future", "stall@8m", "reload@8m", "rebalance@8m", "restart@8m", "lanes" },
}
