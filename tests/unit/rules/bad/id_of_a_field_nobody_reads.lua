rule "team/name" {
  key = { "host", "zone" },
  inputs = { ev = from "events" { kind = "crash", where = function(e) return e.labels.pod ~= "x" end } },
  detect = level { of = { hits = count "ev", size = max("ev", "bytes") }, over = "5m", crit = { when = function(v) return v.hits > 5 end } },
  enrich = { owner = lookup { "service_owner", key = "host" } },
  alert = incident { id = "e:${hots}:${owner.team}:${labels.pod}:${kind}:${hits}:${bytes}:${region}", title = "${any}" },
}
--! 6:22: warning: id: 'hots' is neither in the key nor anything else that the rule reads (did you mean 'host'?); where the newest event has no such field the id is without it, and keys share one incident
--! 6:22: warning: id: 'region' is neither in the key nor anything else that the rule reads; where the newest event has no such field the id is without it, and keys share one incident
