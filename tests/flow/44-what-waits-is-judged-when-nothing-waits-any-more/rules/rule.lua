-- Events wait for the clock; then the rule is edited to judge them as they come, or into one that starts anew.
rule "ops/on_arrival" {
  key = { "host" }, clock = { lateness = "30s" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "arrival:${host}", title = "${value} errors" },
}

rule "ops/anew" {
  key = { "host" }, clock = { lateness = "30s" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 3 } },
  alert = incident { id = "anew:${host}", title = "${value} errors" },
}
