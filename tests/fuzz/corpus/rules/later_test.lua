rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
test "pages once" {
  rule = "a/b",
}
--! 7:1: 'test' is not supported yet
