rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { above = 1 } },
  enrich = { ctx = context { "changes", since = "30m" } },
  alert = incident { title = "${ctx.alerts.count}", body = "${ctx.changes.kind}" },
}
--! 6:22: ${ctx.alerts.count}: the context does not ask for 'alerts'; it has what its list names: context { "changes", "alerts" }
--! 6:53: ${ctx.changes.kind}: 'changes' is a list; it has `count`, and entries `first.` and `last.` with their fields
