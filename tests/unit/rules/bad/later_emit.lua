rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  emit = to "other" { throttle = { max = 1, per = "1m" } },
}
--! 6:23: 'throttle' is not supported yet
