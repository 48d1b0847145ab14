rule "fleet/any_error" {
  key = {},
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { outside = { 1, 100 }, clear = { 2, 99 } } },
  alert = incident {},
}
