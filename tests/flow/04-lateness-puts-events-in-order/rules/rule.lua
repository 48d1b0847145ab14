rule "shop/out_of_order" {
  key = { "host" },
  clock = { time = "ts", lateness = "10s", idle = "5s" },
  inputs = { ev = from "events" {} },
  detect = level { of = last("ev", "temp"), crit = { above = 90 } },
  alert = incident { route = "ops", title = "${host} at ${value}" },
}
