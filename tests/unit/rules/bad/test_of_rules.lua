rule "a/b" {
  key = { "host" }, params = { fire = 5 },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = P"fire" } },
  alert = incident { title = "${value}" },
}
test "of nothing" { rule = "a/c", feed = {}, expect = {} }
test "with nothing" { rule = "a/b", also = { "a/bb" }, feed = {}, expect = {} }
test "of another stream" {
  rule = "a/b",
  feed = { { "0s", "event", { host = "a" } } },
  expect = { { "1m", "warn" }, { "1m", "unknown" }, { "2m", "ok" } },
  params = { fir = 1, fire = "x" },
  tables = { owners = { a = { b = 1 } } },
}
test "twice" { rule = "a/b", feed = {}, expect = {} }
test "twice" { rule = "a/b", feed = {}, expect = {} }
--! 7:21: there is no rule 'a/c' among the files that were given (did you mean 'a/b'?)
--! 8:46: there is no rule 'a/bb' among the files that were given (did you mean 'a/b'?)
--! 11:20: no rule of the test reads the stream 'event' (did you mean 'events'?)
--! 12:14: this can never be met: a/b has no warn
--! 12:32: this can never be met: a/b has no unknown
--! 13:3: a/b has no parameter 'fir' (did you mean 'fire'?)
--! 13:3: parameter 'fire' of a/b has a default of another type
--! 14:3: no rule of the test looks up in 'owners'
--! 17:1: test "twice" is there twice; it is also at line 16
