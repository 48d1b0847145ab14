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
--! 12:35: of names fields of events, and 'a.changes.count' is a look-up
