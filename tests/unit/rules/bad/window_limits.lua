rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "7d", every = "1s", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", last = 500000, crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over is more than 4096 times every; that many windows would hold each event
--! 10:37: last is a whole number from 1 to 100000
