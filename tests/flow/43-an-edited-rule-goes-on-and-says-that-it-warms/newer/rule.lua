rule "ops/longer" {
  key = { "host" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "3m", crit = { at_least = 4 } },
  alert = incident { id = "longer:${host}", title = "${value} errors" },
}

rule "ops/shorter" {
  key = { "host" }, inputs = { err = from "logs" { level = "error" } },
  detect = level { of = count "err", over = "40s", crit = { at_least = 3 } },
  alert = incident { id = "shorter:${host}", title = "${value} errors" },
}

rule "ops/ratio" {
  key = { "host" }, inputs = { all = from "logs" { bytes = exists() }, log = from "logs" {} },
  detect = level { of = count "all" * 0 + count("log", { level = "error" }), over = "5m", warn = { at_least = 3 } },
  alert = incident { id = "ratio:${host}", title = "${value}" },
}

rule "ops/minutes" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = measure { of = { n = count "log" }, every = "4m" },
  emit = to "minutes" { host = "${host}", n = "${n}", until_ = "${warming_until}" },
}

rule "ops/session" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = session { gap = "3m", of = { most = max("log", "bytes"), value = sum("log", "bytes") } },
  alert = incident { id = "session:${host}:${start}", severity = "info", title = "${value} bytes, at most ${most}" },
}

rule "ops/state" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = change { "log", of = { "rack", "zone" } },
  alert = incident { id = "zone:${host}:${to}", severity = "info", title = "${field}: ${from} to ${to}" },
}

rule "ops/silent" {
  key = { "host" }, inputs = { log = from "logs" {} },
  detect = missing { "log", every = "5m", learn = "1d" },
  alert = incident { id = "silent:${host}", title = "silent" },
}
