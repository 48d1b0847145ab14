rule "a/table" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "60s", grace = "2m", source_guard = "1m", stop_on = "req",
    expect = { table = "inventory", where = { state = "running", cores = oneof("4", "8"), any_of { { rack = "r1" } } } } },
  alert = incident { id = "hb:${host}", title = "${host} silent for ${silent} s, last seen ${last_seen}" },
}
rule "a/columns" {
  key = { "service", "region" },
  inputs = { ev = from "events" {} },
  detect = missing { "ev", every = "60s", expect = { table = "inventory", key = { "svc", "reg" } } },
  alert = incident {},
}
rule "a/daily" {
  key = {}, params = { by = "03:00", every = "90s" },
  inputs = { ev = from "events" {} },
  detect = missing { "ev", by = P"by", zone = "Europe/Berlin", days = "mon-fri", grace = "10m" },
  alert = incident {},
}
rule "a/ttl" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = missing { "ev", every = path "ttl", expect = { learn = "1h" } },
  alert = incident { when = function(v) return v.silent > 10 end },
}
rule "a/monthly" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = missing { "ev", every = "31d" },
  alert = incident {},
}
