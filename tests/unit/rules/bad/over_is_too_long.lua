rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "106751991167d", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:37: over: "106751991167d" is longer than 36525d, a hundred years
