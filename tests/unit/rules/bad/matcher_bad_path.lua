rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { ["a..b"] = 1 } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 3:36: field path "a..b": a name is missing at column 3
