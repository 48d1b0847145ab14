-- A zone goes on failing while nobody is told of it: whoever is told later reads how it stands, not how it began.
local function host(i) return "h" .. i end
local feed = {
  { "0s..9s/1s", "health", { host = host, zone = "z1", state = "down" } },
  { "1h..1h9s/1s", "health", { host = host, zone = "z1", state = "up" } },
}
local vary = { "duplicate", "restart@5s", "restart@11s", "reload@5s", "reload@30m", "restart@30m", "lanes" }

rule "fleet/zone" {
  key = { "zone" },
  inputs = { st = from "health" {} },
  detect = level { of = sum(latest("st", function(e) return e.state == "down" and 1 or 0 end, "host")), crit = { at_least = 3 } },
  alert = incident { id = "zone:${zone}", title = "${from} to ${level}: ${value} down in ${zone}", remind = "40m" },
}

test "when a silence ends" {
  rule = "fleet/zone", feed = feed, vary = vary,
  silences = { { match = { zone = "z1" }, from = "0s", to = "30m" } },
  expect = {
    { "30m", "crit", { title = "ok to crit: 10 down in z1", value = 10 } },
    { "1h7s", "ok", { title = "crit to ok: 2 down in z1" } },
  },
}

test "when it is repeated" {
  rule = "fleet/zone", feed = feed, vary = vary,
  expect = {
    { "2s", "crit", { title = "ok to crit: 3 down in z1" } },
    { "40m2s", "crit", { title = "ok to crit: 10 down in z1", reminder = true } },
    { "1h7s", "ok" },
  },
}

test "at most ten seconds old" {
  rule = "fleet/zone", feed = feed,
  silences = { { match = { zone = "z1" }, from = "0s", to = "11s" } },
  expect = {
    { "11s", "crit", { title = "ok to crit: 3 down in z1" } },
    { "40m11s", "crit", { title = "ok to crit: 10 down in z1" } },
    { "1h7s", "ok" },
  },
  params = {}, until_ = "1h1m",
}
