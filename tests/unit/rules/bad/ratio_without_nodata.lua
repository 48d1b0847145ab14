rule "t/stays" {
  key = { "host" }, inputs = { ev = from "events" {} }, alert = incident {},
  detect = level {
    of   = 100 * count("ev", { code = gte(500) }) / count "ev",
    over = "5m", crit = { above = 5 },
  },
}
rule "t/says_so" {
  key = { "host" }, inputs = { ev = from "events" {} }, alert = incident {},
  detect = level {
    of = count("ev", { code = gte(500) }) / count "ev", over = "5m", crit = { above = 0.05 },
    nodata = { after = "5m", be = "keep" },
  },
}
rule "t/of_a_number" {
  key = { "host" }, inputs = { ev = from "events" {} }, alert = incident {},
  detect = level { of = count "ev" / 60, over = "1m", crit = { above = 0.05 } },
}
rule "t/of_the_last_hundred" {
  key = { "host" }, inputs = { ev = from "events" {} }, alert = incident {},
  detect = level {
    of = count("ev", { code = gte(500) }) / count "ev", last = 100, crit = { above = 0.05 },
  },
}
--! 4:5: warning: this has no value when nothing comes any more, and a level that is active then stays: nodata = { after = "10m", be = "ok" } ends it, be = "keep" says that it is to stay
