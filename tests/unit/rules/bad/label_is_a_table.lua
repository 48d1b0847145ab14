rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { labels = { a = {} } },
}
--! 5:33: label 'a' is a string, a number or true or false, not a table
