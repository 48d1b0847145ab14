rule "shop/own_time" {
  key = { "host" },
  clock = { time = "ts" },
  inputs = { ev = from "events" {} },
  detect = level { of = last("ev", "temp"), crit = { above = 90 } },
  alert = incident { route = "ops", title = "${host} at ${value}" },
}
