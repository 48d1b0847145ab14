-- SPDX-License-Identifier: Apache-2.0
-- Events leave as they came, with what the tables know.
rule "ops/all" {
  owner = "ops",
  inputs = { r = from "requests" {} },
  enrich = { machine = lookup { "machines", key = "host" } },
  emit = to "all" {},
}

rule "ops/some" {
  owner = "ops",
  inputs = { r = from "requests" { code = gte(400) } },
  enrich = { machine = lookup { "machines", key = "host", miss = "drop" } },
  emit = to "some" { owner = "${machine.team}", cpus = "${machine.cpus}", ["where.zone"] = "${machine.zone}",
                     ["where.rack"] = 7, text = "${host} of ${machine.team}", label = "${machine.labels}", gone = "${none}" },
}

rule "ops/default" {
  owner = "ops", key = { "host" },
  inputs = { s = from "some" {} },
  enrich = { machine = lookup { "machines", key = "host", miss = { team = "sre" } } },
  detect = level { of = count "s", over = "1m", warn = { at_least = 1 } },
  emit = to "found" { team = "${machine.team}", zone = "${where.zone}", cpus = "${cpus}" },
  alert = incident { id = "some:${host}", title = "${owner} has ${cpus}" },
}
