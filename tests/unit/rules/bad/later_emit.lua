rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  emit = to "other" { throttle = {} },
}
--! 6:10: 'to' is not supported yet
