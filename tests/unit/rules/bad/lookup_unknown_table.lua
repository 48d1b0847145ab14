rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  enrich = { owner = lookup { "service_ower", key = "service" } },
}
--! 6:31: there is no table 'service_ower' (did you mean 'service_owner'?)
