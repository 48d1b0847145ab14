rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { above = 1 } },
  enrich = {
    a = context { "changes", sinse = "30m" },
    b = context { "changes", since = "0s" },
    c = context { "changes", of = 5 },
    d = context "changes",
    e = context {},
    f = context { "changes", of = { "host", 7 } },
    g = context { "changes", of = "a.changes.count" },
  },
  alert = incident {},
}
--! 6:30: 'sinse' is not an option of context (did you mean 'since'?)
--! 7:30: since must be longer than zero
--! 8:30: of is a field or a list of them: of = "service", not a number
--! 9:5: context says what it wants: context { "changes", "alerts", since = "30m" }
--! 10:5: context says what it wants: context { "changes", "alerts", since = "30m" }
--! 11:45: of lists names of fields, not a number
--! 12:30: of names fields of events, and 'a.changes.count' is a look-up
