-- SPDX-License-Identifier: Apache-2.0
-- After the two errors nothing comes any more. The first rule's level ends by the clock, and the hold of
-- the second and the silence of the third are over on a topic that says nothing.
rule "ops/a_errors" {
  owner = "ops", key = { "host" },
  inputs = { err = from "requests" { code = gte(500) } },
  detect = level { of = count "err", over = "1m", crit = { at_least = 2 } },
  emit = to "trouble" { errors = "${value}" },
}

rule "ops/b_lasting" {
  owner = "ops", key = { "host" },
  inputs = { t = from "trouble" {} },
  detect = level { of = last("t", "errors"), crit = { at_least = 2, hold = "30s" } },
  alert = incident { id = "lasting:${host}", title = "${host} has been in trouble for half a minute" },
}

rule "ops/c_silent" {
  owner = "ops", key = { "host" },
  inputs = { t = from "trouble" {} },
  detect = level { of = last("t", "errors"), crit = { above = 1000 }, nodata = { after = "5m", be = "unknown" } },
  alert = incident { id = "silent:${host}", title = "nothing more was said of ${host}" },
}
