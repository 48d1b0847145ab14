rule "a/b" {
  inputs = { ev = from "events" {} },
  enrich = { ctx = context { "changes" } },
  emit = to "out" { n = "${ctx.changes.count}" },
}
