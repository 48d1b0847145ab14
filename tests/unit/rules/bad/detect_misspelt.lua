rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detct = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}

rule "a/c" {
  key = { "host" },
  inptus = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {},
}

rule "a/d" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alrt = incident {},
}
--! 4:3: 'detct' is not an option of rule (did you mean 'detect'?)
--! 10:3: 'inptus' is not an option of rule (did you mean 'inputs'?)
--! 19:3: 'alrt' is not an option of rule (did you mean 'alert'?)
