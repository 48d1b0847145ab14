rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  enrich = { owner = "service_owner" },
}
--! 6:14: enrich takes lookup { "table", key = "field" } or context { "changes" }, not a string
