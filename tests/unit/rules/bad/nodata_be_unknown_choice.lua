rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 }, nodata = { after = "5m", be = "alrt" } },
  alert = incident { title = "${value}" },
}
--! 4:97: be is one of "ok", "keep", "unknown", "alert", not "alrt" (did you mean 'alert'?)
