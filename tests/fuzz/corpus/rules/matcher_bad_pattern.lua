rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {
    path = matches "a(b",
  } },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:5: path: the pattern "a(b" is broken at character 4: missing closing parenthesis
