rule "a/b" {
  key = { "host" },
  inputs = { l = from "events" { kind = "deploy" }, r = from "requests" {} },
  detect = together { "l", "r", within = "5m", need = { rr = 2, l = 0 } },
  alert = incident { title = "x" },
}
--! 4:57: need: 'rr' is not among the inputs listed (did you mean 'r'?)
--! 4:65: need.l is a whole number from 1 to max (1000)
