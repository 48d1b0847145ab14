rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = quantile("ev", "ms", 99), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:46: a quantile is a number from 0 to 1, as 0.99
