rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = join { "l", "r", within = "5m", need = { right = 20 }, max = 10 },
  alert = incident { title = "x" },
}
--! 4:44: need is above max (10): a key never keeps that many
