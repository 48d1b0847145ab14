-- Each of these is edited in the middle (newer/rule.lua), and what it remembers decides.
rule "ops/longer" {
  key = { "host" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 4 } },
  alert = incident { id = "longer:${host}", title = "${value} errors" },
}

rule "ops/shorter" {
  key = { "host" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "10m", crit = { at_least = 3 } },
  alert = incident { id = "shorter:${host}", title = "${value} errors" },
}

rule "ops/ratio" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = level { of = count("log", { level = "error" }), over = "5m", warn = { at_least = 3 } },
  alert = incident { id = "ratio:${host}", title = "${value}" },
}

rule "ops/minutes" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = measure { of = { n = count "log" }, every = "1m" },
  emit = to "minutes" { host = "${host}", n = "${n}", until_ = "${warming_until}" },
}

rule "ops/session" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = session { gap = "2m", of = sum("log", "bytes") },
  alert = incident { id = "session:${host}:${start}", severity = "info", title = "${value} bytes" },
}

rule "ops/state" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = change { "log", of = "zone" },
  alert = incident { id = "zone:${host}:${to}", severity = "info", title = "${field}: ${from} to ${to}" },
}

rule "ops/silent" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = missing { "log", every = "1h", learn = "1d" },
  alert = incident { id = "silent:${host}", title = "silent" },
}
