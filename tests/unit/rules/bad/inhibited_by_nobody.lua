rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {
    inhibited_by = {
      { rule = "a/c", equal = { "host" } },
      { match = { severity = "crit" } },
    },
  },
}
--! 7:7: inhibited_by: there is no rule 'a/c' (did you mean 'a/b'?)
