rule "shop/errors" {
  key = { "host" }, inputs = { ev = from "events" { } },
  detect = level { of = count "ev", over = "1m", crit = { at_least = 3 } },
  enrich = { owner = lookup { "service_owner", key = "host" } },
  alert = incident { title = "${vlaue} on ${host}: ${message}", body = "${ownr.team} ${owner.team}", labels = { at = "${hsot}" } },
}
--! 5:22: warning: 'vlaue' is read as a field of the event (did you mean 'value'?); where the event has no such field the text has a hole
--! 5:65: warning: 'ownr.team' is read as a field of the event (did you mean 'owner'?); where the event has no such field the text has a hole
--! 5:113: warning: 'hsot' is read as a field of the event (did you mean 'host'?); where the event has no such field the text has a hole
