rule "team/x" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = ewma("ev", "ms"), crit = { above = 5 } },
  alert = incident { title = "t" },
}
--! 4:20: ewma is written ewma("ev", "field", "1m"), behind which a table of matchers may stand
