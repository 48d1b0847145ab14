-- The stream's time and key, the parameter and the table of hosts come from the configuration; the
-- owners are given by --table, which goes before the configuration's.
rule "shop/errors" {
  owner = "team-shop", version = "1",
  params = { fire = 5 },
  key = { "host" },
  inputs = { ev = from "events" { severity = "error" } },
  detect = level { of = count "ev", over = "1m", crit = { at_least = P "fire" } },
  enrich = {
    machine = lookup { "hosts", key = "host", miss = { zone = "?" } },
    who = lookup { "owners", key = "host", miss = { phone = "?" } },
  },
  alert = incident {
    id = "errors:${host}", route = "ops",
    title = "${value} errors, call ${who.phone}",
    labels = { zone = "${machine.zone}" },
  },
}
