rule "fleet/several" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = level {
    of = { errors = count "ev", requests = count "req" },
    every = "1m",
    crit = { when = function(v) return v.requests > 100 and v.errors / v.requests > 0.5 end, hold = "2m" },
  },
  alert = incident { title = "${errors} of ${requests}" },
}
