rule "a/remind" {
  key = { "host" },
  inputs = { e = from "events" {} },
  detect = level { of = last("e", "v"), crit = { above = 1 } },
  alert = incident { id = "remind:${host}", title = "${host} is at ${value}", remind = "6h" },
}

rule "a/active" {
  key = { "host" },
  inputs = { e = from "events" {} },
  detect = level { of = last("e", "v"), crit = { above = 1 } },
  alert = incident { id = "active:${host}", title = "${host} is at ${value}" },
}
