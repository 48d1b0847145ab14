rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" { service = exists() } },
  enrich = { owner = lookup { "service_owner", key = "sevice" } },
  emit = to "out" { x = "${hsot}", y = "${other}", z = "${ownr.team}" },
}
--! 4:48: warning: 'sevice' is read as a field of the event (did you mean 'service'?); where the event has no such field the text has a hole
--! 5:21: warning: 'hsot' is read as a field of the event (did you mean 'host'?); where the event has no such field the text has a hole
--! 5:52: warning: 'ownr.team' is read as a field of the event (did you mean 'owner'?); where the event has no such field the text has a hole
