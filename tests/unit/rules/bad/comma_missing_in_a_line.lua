rule "team/name" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev" over = "5m", crit = { above = 5 } },
  alert = incident {},
}
--! 4:36: '}' expected near 'over'; a comma may be missing before it
