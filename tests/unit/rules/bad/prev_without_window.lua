rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = prev(last("ev", "v")), crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:18: prev needs a window, so that there is one before it
