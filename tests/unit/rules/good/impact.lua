rule "a/impact" {
  key = { "host" }, params = { settle = "30s" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = { "m", function(e) return e.a / e.b end }, before = "1m", after = "2m", settle = P"settle",
                    worse = "either", effect = 0.2, confidence = 0.99, min = 2 },
  alert = incident { when = "worse or unknown", title = "${up.what}: ${verdict}, ${before} -> ${after} (${effect}, ${confidence})" },
}
rule "a/by_number" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = { "m", "v" }, before = "1m", after = "2m" },
  alert = incident { when = function(v) return v.effect and v.effect > 0.5 end },
}
