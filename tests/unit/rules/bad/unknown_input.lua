rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "env", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:20: 'env' is not an input of the rule (did you mean 'ev'?)
