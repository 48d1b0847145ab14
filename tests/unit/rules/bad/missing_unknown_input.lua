rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "evv", every = "1m" },
  alert = incident { title = "x" },
}
--! 4:22: 'evv' is not an input of the rule (did you mean 'ev'?)
