rule "team/x" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = ewma("ev", "ms", "0s"), crit = { above = 5 } },
  alert = incident { title = "t" },
}
--! 4:42: the half-life of ewma must be longer than zero
