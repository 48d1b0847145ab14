rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { above = 1 } },
  enrich = { ctx = context { "changes", since = "30m" } },
  alert = incident { title = "${ctx.alerts.count}", body = "${ctx.changes.kind}" },
}
