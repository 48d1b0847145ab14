rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
test "times that are none" {
  rule = "a/b",
  feed = {
    { "soon", "events", { host = "a" } },
    { "0s..1m", "events", { host = "a" } },
    { "1m..0s/5s", "events", { host = "a" } },
    { "0s..1m/0s", "events", { host = "a" } },
    { 5, "events", { host = "a" } },
  },
  expect = { { "5 minutes", "crit" }, { 3, "crit" } },
  start = "yesterday",
}
--! 10:7: the time of a feed line: "soon" is no time; write it from the start like "30s" or "12m35s" (units ms s m h d w, largest first)
--! 11:7: "0s..1m" is no range of times; write it like "30s..3m/5s": from, to and how often
--! 12:7: "1m..0s/5s": the range ends before it begins
--! 13:7: "0s..1m/0s": the step must be longer than zero
--! 14:7: the time of a feed line is a time from the start like "30s" or "12m35s", not a number
--! 16:16: the time of what is expected: "5 minutes" is no time; write it from the start like "30s" or "12m35s" (units ms s m h d w, largest first)
--! 16:41: the time of what is expected is a time from the start like "30s" or "12m35s", not a number
--! 17:3: start is a point in time like "2024-01-01T00:00:00Z"
