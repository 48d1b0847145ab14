rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { "l", within = "5m" },
  alert = incident { title = "x" },
}
--! 4:3: together needs two events at least: another input, or need = { l = 2 }
