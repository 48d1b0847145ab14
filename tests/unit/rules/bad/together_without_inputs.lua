rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { within = "5m" },
  alert = incident { title = "x" },
}
--! 4:3: together lists its inputs: together { "a", "b", within = "2m" }
