rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
local bad = 0 / 0
test "lines that are none" {
  rule = "a/b",
  feed = {
    "0s",
    { "0s", "events" },
    { "0s", "events", "text" },
    { "0s", "events", { host = gt(3) } },
    { "0s", "events", { host = function() return nil + 1 end } },
    { "0s", "events", function(i) return i end },
    { "0s", "events", { value = bad } },
    { "0s", "events", { "a", b = 1 } },
    { "0s", "events", { host = "a" }, partition = -1 },
    { "0s", "events", { host = "a" }, lane = 1 },
    late = 1,
  },
  expect = {},
}
--! 11:5: a feed line is a time, a stream and an event: { "30s", "requests", { code = 503 } }
--! 12:5: a feed line is a time, a stream and an event: { "30s", "requests", { code = 503 } }
--! 13:23: an event is a table of fields or a function that gives one, not a string
--! 14:25: an event has values, not matchers or other words of the language
--! 15:25: the function fails: attempt to perform arithmetic on a nil value
--! 16:23: an event is a table of fields: { service = "cart" }
--! 17:25: a number of an event is finite
--! 18:23: a value of an event is an object or a list, not both in one
--! 19:39: partition is a whole number from 0 to 1000
--! 20:39: 'lane' is not an option of a feed line
--! 21:5: feed is a list of lines: { { "0s", "stream", { ... } } }
