rule "a/errors" {
  key = { "service" }, clock = { lateness = "30s" }, dedup = { by = "id", within = "10m" },
  inputs = { req = from "requests" { code = gte(500) } },
  detect = level { of = count "req", over = "5m", crit = { at_least = 2 } },
  enrich = { ctx = context { "changes", "alerts", since = "10m" } },
  alert = incident { title = "${ctx.changes.count} changes, last ${ctx.changes.last.version}" },
}
rule "a/explained" {
  key = { "service" }, clock = { lateness = "30s" }, dedup = { by = "id", within = "10m" },
  inputs = { req = from "requests" { code = 599 } },
  enrich = { ctx = context { "changes" } },
  emit = to "explained" { ctx = "${ctx}", n = "${ctx.changes.count}" },
}
test "changes of nobody's stream are there" {
  rule = "a/errors", also = { "a/explained" },
  feed = {
    { "0s",  "deploys", { service = "cart", kind = "deploy", version = "v8" } },
    { "9m",  "config_changes", { service = "cart", flag = "new", action = "on" } },
    { "10m", "deploys", { service = "cart", kind = "deploy", version = "v9" } },
    { "10m", "deploys", { service = "blog", kind = "deploy", version = "w1" } },
    { "11m", "requests", { service = "cart", code = 599, id = 1 } },
    { "11m10s", "requests", { service = "cart", code = 599, id = 2 } },
    { "12m", "deploys", { service = "cart", kind = "rollback", version = "v8" } },
  },
  expect = {
    { "11m", "emit", { n = 3, ["ctx.changes.first.version"] = "v8", ["ctx.changes.last.version"] = "v9" } },
    { "11m10s", "emit", { n = 3 } },
    { "11m10s", "crit", {
      title = "2 changes, last v9",
      changes = { { kind = "deploy" }, { flag = "new" }, { kind = "deploy", version = "v9", stream = "deploys" } },
    } },
    { "16m", "ok", { ["changes.last.kind"] = "rollback" } },
  },
  vary = { "lanes", "shuffle<=30s", "duplicate", "reload@10m30s", "restart@10m30s", { "restart@11m5s", "lanes" }, "rebalance@11m5s" },
}
test "one too few" {
  rule = "a/errors",
  feed = { { "0s", "deploys", { service = "cart", version = "v8" } }, { "1m", "requests", { service = "cart", code = 500, id = 1 } },
           { "1m1s", "requests", { service = "cart", code = 500, id = 2 } } },
  expect = { { "1m1s", "crit", { changes = { { version = "v7" } } } }, { "6m", "ok", { changes = missing_field() } } },
}
