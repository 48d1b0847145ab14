rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 }, nodata = { be = "ok" } },
  alert = incident { title = "${value}" },
}
--! 4:72: nodata needs after = "5m": how long to wait for a value
