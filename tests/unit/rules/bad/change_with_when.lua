rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = "state" },
  alert = incident { when = function(v) return true end },
}
--! 5:22: when has nothing to look at here: narrow a change by from, to or the matchers of its inputs
