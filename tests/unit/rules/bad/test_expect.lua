rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
test "what can never leave" {
  rule = "a/b",
  feed = { { "0s", "events", { host = "a" } } },
  expect = {
    { "1m", "critical" },
    { "1m" },
    { "1m", "crit", { host = matches "a.*" } },
    { "1m", "crit", { host = gt("x") } },
    { "1m", "crit", host = "a" },
    { "1m", "crit", { "a" } },
    crit = 1,
  },
}
test "behind the end" {
  rule = "a/b",
  feed = { { "0s", "events", { host = "a" } } },
  expect = { { "6m", "crit" } },
  until_ = "5m",
}
test "ends too early" {
  rule = "a/b",
  feed = { { "10s", "events", { host = "a" } } },
  expect = {}, until_ = "5s",
}
--! 11:13: this can never be met: what leaves is "info", "warn", "crit", "unknown", "ok", "emit", "summary" or "late", not critical
--! 12:5: what is expected is a time, what leaves and its fields: { "2m", "crit", { service = "cart" } }
--! 13:23: 'matches' says nothing of what leaves; use a value, oneof, gt, gte, lt, lte, between, prefix, suffix, contains, except, exists or missing_field
--! 14:23: gt stands here with other values than it takes
--! 15:21: the fields stand in a table of their own: { "2m", "crit", { host = ... } }
--! 16:21: the expected fields have names: { service = "cart" }
--! 17:5: expect is a list: { { "2m", "crit" } }; expect = {} is silence
--! 23:14: this can never be met: the test ends at until_, before it
--! 29:16: until_ lies before the last event of the feed
