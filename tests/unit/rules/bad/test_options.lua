rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
test "unknown options" {
  rule = "a/b", fed = {}, feed = {}, expects = {}, until_ = 5, expect = {},
}
test "nothing at all" {}
test { rule = "a/b" }
test "no table"
--! 8:17: 'fed' is not an option of test (did you mean 'feed'?)
--! 8:38: 'expects' is not an option of test (did you mean 'expect'?)
--! 8:52: until_ is a duration like "90s" or "5m", not a number
--! 10:1: the test expects nothing in particular: expect = {} is silence
--! 10:1: the test feeds nothing: feed = { { "0s", "stream", { ... } } }
--! 10:1: the test says not which rule it is of: rule = "team/name"
--! 11:1: test takes a name and a table: test "what holds" { ... }
--! 12:1: test "no table" is without its table { ... }
