rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { any_of {} } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:35: any_of takes at least one matcher table
