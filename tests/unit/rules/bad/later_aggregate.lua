rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev" + quantile("ev", "ms", 0.99), over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:38: 'quantile' is not supported yet
