rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:3: level needs `of`: what is measured, as of = count "ev"
