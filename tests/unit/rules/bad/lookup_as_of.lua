rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  enrich = { owner = lookup { "service_owner", key = "service", as_of = "event" } },
}
--! 6:65: 'as_of' is not supported yet
