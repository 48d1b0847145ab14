-- Every word and every option of this version.
local is_slow = function(e) return e.latency_ms > P"slow" end

rule "checkout/error_ratio" {
  owner = "team-checkout", version = "2.1.0", doc = "errors over 5 % for two minutes",
  params = { fire = 0.05, clear = 0.02, slow = 500, span = "5m", code = "x", on = true },
  key = { "service", "labels.region", '["k8s.pod.name"]', "tags[0]", "@partition" },
  clock = { time = "ts", lateness = "30s", idle = "20s" },
  forget = "2h", max_keys = 1000,
  inputs = {
    req = from "requests" {
      a = "text", b = 5, c = 5.5, d = true, e = null,
      f = oneof("x", "y"), g = oneof { 1, 2 }, h = gt(1), i = gte(1), j = lt(1), k = lte(1),
      l = between(1, 2), m = prefix "x", n = suffix "x", o = contains "x", p = has("x", "y"),
      q = matches "^a.*b$", r = exists(), s = missing_field(), t = except "x",
      u = except(gte(500)), v = any_of { missing_field(), except "up" }, w = P"code",
      ["labels.zone"] = "z", ["tags[0]"] = "t", ["@partition"] = 3,
      any_of { { x = 1 }, { y = 2, z = gt(3) } },
      where = is_slow,
    },
    bare = from "events",
  },
  detect = level {
    of = count("req", { code = gte(500) }) / count "req" + (sum("req", "bytes") - avg("req", "bytes", { a = 1 })) * 2
      + min("req", "x") + max("req", "x") + first("req", "x") + last("req", "x") + delta("req", "x")
      + rate "req" + rate("req", { a = 1 }) + rate("req", "x") + stddev("req", "x")
      + sum("req", function(e) return e.a * e.b end) + -count "bare" + P"fire",
    over = P"span", every = "30s", full = true, align = "first", min = 20,
    hold = "1m", clear_hold = "2m",
    info = { at_least = P"fire" / 2 },
    warn = { above = 0.04, below = 10, hold = "30s" },
    crit = { above = P"fire", hold = "2m", clear = P"clear", clear_hold = "1m" },
    nodata = { after = "10m", be = "keep" },
  },
  enrich = {
    owner = lookup { "service_owner", key = "service" },
    was = lookup { "service_owner", key = "${owner.parent}", as_of = "event" },
    host = lookup { "inventory", key = "${host}/${labels.region}", miss = "drop" },
    tier = lookup { "inventory", key = "tier", miss = { name = "none", level = 3 } },
  },
  alert = incident {
    id = "err:${service}:${labels.region}", route = "ops", title = "${value} of ${service} (limit ${params.fire})",
    body = "first ${first.message}, last ${message}, owner ${owner.team}, $${not a path}",
    labels = { team = "${owner.team}", n = 5, paged = true },
    when = function(v) return v.value > 0 end,
  },
}
