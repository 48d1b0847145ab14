rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { labels = { ["a-b"] = "x" } },
}
--! 5:34: 'a-b' is not a label: letters, digits and _, no digit first
