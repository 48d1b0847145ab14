rule "a/b" {
  key = { "left" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m" },
  alert = incident { title = "x" },
}
--! 4:3: 'left' is a field of the key; call the event otherwise
