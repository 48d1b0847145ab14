rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { "l", "l", within = "5m" },
  alert = incident { title = "x" },
}
--! 4:28: 'l' is listed twice; two of a kind are need = { l = 2 }
