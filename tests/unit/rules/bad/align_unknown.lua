rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", every = "1m", align = "frist", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:51: align is one of "epoch", "first", not "frist" (did you mean 'first'?)
