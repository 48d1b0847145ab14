rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
test "no disturbances" {
  rule = "a/b", feed = {}, expect = {},
  vary = { "shufle<=30s", "shuffle", "shuffle@3s", "duplicate@3s", "reload@soon", 3, { "delay<=1s", "wobble" }, x = "lanes" },
  silences = { {}, { match = { host = 3 }, to = "1m" }, { match = { host = "a" }, from = "2m", to = "1m" } },
  tables = { owners = 3 },
  params = { fire = {}, clear = function() end },
}
--! 9:12: vary has no shufle<=30s (did you mean 'shuffle'?); it has shuffle<=T, delay<=T, duplicate, future, stall@T, reload@T, rebalance@T, restart@T and lanes
--! 9:27: "shuffle": shuffle stands with a time: "shuffle<=30s"
--! 9:38: "shuffle@3s": shuffle stands with a time: "shuffle<=30s"
--! 9:52: "duplicate@3s": duplicate stands alone
--! 9:68: "reload@soon": reload stands with a time: "reload@30s"
--! 9:83: vary has no a number; it has shuffle<=T, delay<=T, duplicate, future, stall@T, reload@T, rebalance@T, restart@T and lanes
--! 9:101: vary has no wobble; it has shuffle<=T, delay<=T, duplicate, future, stall@T, reload@T, rebalance@T, restart@T and lanes
--! 9:113: vary is a list: { "shuffle<=30s", "duplicate" }
--! 10:16: a silence needs its end: to = "1h"
--! 10:16: a silence needs match = { label = "value" }
--! 10:32: a silence matches a label by a string or by matches "regex", not by a number
--! 10:96: the silence ends before it begins
--! 11:14: table 'owners' is rows by key: { cart = { team = "a" } }
--! 12:25: parameter 'clear' is a string, a number or true or false, not a function
