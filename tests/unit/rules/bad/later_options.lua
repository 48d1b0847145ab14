rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
  dedup = { by = "id", within = "5m" },
}
