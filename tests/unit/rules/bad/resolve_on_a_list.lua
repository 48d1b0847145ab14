rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = join { "ev", "ev", within = "1m" },
  alert = incident { resolve = { on = {} } },
}
rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = join { "ev", "ev", within = "1m" },
  alert = incident { resolve = { on = { "ev", "evv", 5 } } },
}
--! 5:34: resolve.on is an input, or a list of them: { "a", "b" }
--! 11:47: 'evv' is not an input of the rule (did you mean 'ev'?)
--! 11:54: an input is named by a string, not a number
