-- Three rules over one stream, so that one event may be too late for some of them only.
rule "shop/sliding" {
  owner = "team-shop", version = "1",
  key = { "host" },
  clock = { time = "ts" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "sliding:${host}", route = "ops", title = "${value} on ${host}" },
}

rule "shop/patient" {
  owner = "team-shop", version = "1",
  key = { "host" },
  clock = { time = "ts", lateness = "2m" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "patient:${host}", route = "ops", title = "${value} on ${host}" },
}

rule "shop/all" {
  owner = "team-shop", version = "1", key = {},
  clock = { time = "ts" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "30s", crit = { at_least = 4 } },
  alert = incident { id = "all", route = "ops", title = "${value} at all" },
}
