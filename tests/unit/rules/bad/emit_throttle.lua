rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  emit = to "other" { throttle = { max = 1 } },
}
rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  emit = to "third" { throttle = { max = 0, par = "1m" } },
}
--! 5:23: throttle needs both: { max = 10, per = "1m" }
--! 11:23: throttle needs both: { max = 10, per = "1m" }
--! 11:36: max is a whole number from 1 to 1000000000
--! 11:45: 'par' is not an option of throttle (did you mean 'per'?)
