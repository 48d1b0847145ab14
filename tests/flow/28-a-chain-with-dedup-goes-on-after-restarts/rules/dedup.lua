-- SPDX-License-Identifier: Apache-2.0
rule "ops/count" {
  owner = "ops", key = { "host" }, dedup = { by = "id", within = "1m" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "10m", warn = { at_least = 3 } },
  alert = incident { id = "n:${host}", title = "${value}" },
}
rule "ops/ordered" {
  owner = "ops", key = { "host" }, dedup = { by = { "id", "part" }, within = "1m" }, clock = { lateness = "5s" },
  inputs = { ev = from "events" {} },
  detect = measure { of = count "ev", every = "5m" },
  emit = to "counts" {},
}
rule "ops/pass" {
  owner = "ops", dedup = { by = "id", within = "1m" },
  inputs = { ev = from "events" {} },
  emit = to "once" { seen = true },
}
rule "ops/derived" {
  owner = "ops", key = {}, dedup = { by = "host", within = "4m" },
  inputs = { c = from "once" {} },
  detect = level { of = count "c", over = "30m", warn = { at_least = 4 } },
  alert = incident { id = "hosts", title = "${value} hosts a while" },
}
