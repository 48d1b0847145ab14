rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count("ev", "bytes"), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: matchers are a table like { severity = "error" }, not a string
