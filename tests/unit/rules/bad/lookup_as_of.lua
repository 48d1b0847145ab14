rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  enrich = {
    owner = lookup { "service_owner", key = "service", as_of = "event" },
    host = lookup { "inventory", key = "host", as_of = "event" },
    rack = lookup { "service_owner", key = "service", as_of = "now" },
  },
}
--! 8:48: as_of needs a table that keeps history, and 'inventory' keeps none: the configuration says so by tables.inventory.since, the column of when a row begins, or for a topic by 'versions'
--! 9:55: as_of is one of "event", not "now"
