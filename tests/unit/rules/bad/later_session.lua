rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", gap = "5m", max = "2h", zone = "UTC", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:50: 'gap' is not supported yet
--! 4:62: 'max' is not supported yet
--! 4:74: zone is for windows of whole days: every = "1d", "7d"
