rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", every = "2m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over must be a multiple of every, so that windows are made of whole steps
