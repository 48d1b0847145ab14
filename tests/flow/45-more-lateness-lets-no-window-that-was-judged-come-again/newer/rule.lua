-- Windows in steps; the edit lets events wait longer, so the clock of the rule begins behind what was judged.
rule "ops/steps" {
  key = { "host" }, clock = { time = "ts", lateness = "90s", idle = "1s" }, inputs = { a = from "logs" {} },
  detect = level { of = { users = distinct("a", "user"), n = count "a" }, over = "60s", every = "10s",
                   warn = { when = function(v) return v.users > 1 end, hold = "1s" } },
  alert = incident { id = "steps:${host}", title = "${users} users, ${n} events" },
}
