-- SPDX-License-Identifier: Apache-2.0
-- A step comes between: who has errors already is past it.
rule "ops/release" {
  key = { "service" },
  inputs = { deploy = from "deploys" {}, canary = from "canaries" {}, err = from "requests" { code = gte(500) },
             rollback = from "rollbacks" {} },
  detect = seq {
    { "deploy", as = "d" },
    { "canary", as = "c", within = "10m" },
    { "err", as = "errors", times = 3, within = "10m" },
    { absent = "rollback", lasting = "2m" },
  },
  migrate = function(old)
    if old.key.service == "drop" then return nil end
    if old.key.service == "bad" then return "nonsense" end
    if old.taken.errors.last.code == 599 then error("no such code") end
    return old.step
  end,
  alert = incident { id = "release:${service}",
                     title = "${d.version}, canary '${c.version}': ${errors.count}, the last ${errors.last.code}" },
}
