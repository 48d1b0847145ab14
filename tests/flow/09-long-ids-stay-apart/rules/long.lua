rule "a/long" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = last("ev", "v"), crit = { above = 3 } },
  alert = incident { id = "long:${note}", title = "${host}" },
}
