-- SPDX-License-Identifier: Apache-2.0
-- Who was to be called then: the team of the service, its lead, the lead's phone; and who would be today.

rule "ops/called" {
  owner = "ops",
  inputs = { r = from "requests" {} },
  enrich = {
    owner = lookup { "owners", key = "service", as_of = "event" },
    team = lookup { "teams", key = "${owner.team}", as_of = "event", miss = { lead = "?" } },
    phone = lookup { "phones", key = "${team.lead}" },
    today = lookup { "owners", key = "service" },
  },
  emit = to "called" { team = "${owner.team}", lead = "${team.lead}", phone = "${phone.phone}", today = "${today.team}",
                              text = "${team.lead} of ${owner.team}: ${phone.phone}" },
}

rule "ops/slow" {
  owner = "ops", key = { "service" }, clock = { lateness = "2s" },
  inputs = { r = from "requests" {} },
  detect = level { of = count "r", over = "1s", warn = { at_least = 1 } },
  enrich = {
    phone = lookup { "phones", key = "${team.lead}", miss = "drop" },
    team = lookup { "teams", key = "${owner.team}", as_of = "event" },
    owner = lookup { "owners", key = "${service}", as_of = "event" },
  },
  alert = incident { route = "${owner.team}", title = "${team.lead} ${phone.phone}" },
}
