rule "a/b" {
  inputs = { ev = from "events" {} },
  enrich = { ctx = context { "changes" } },
  emit = to "out" { n = "${ctx.changes.count}" },
}
--! 3:14: context needs of = "field": the rule has no key that could say what it is about
