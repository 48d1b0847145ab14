rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { above = 1 } },
  enrich = { ctx = context { "changes", "metrics", "chanches", 5 } },
  alert = incident {},
}
--! 5:41: 'metrics' of a context is not supported yet
--! 5:52: context takes "changes" and "alerts", not "chanches" (did you mean 'changes'?)
--! 5:64: context takes "changes" and "alerts", not a number
