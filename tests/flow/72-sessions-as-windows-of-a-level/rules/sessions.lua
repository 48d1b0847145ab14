-- SPDX-License-Identifier: Apache-2.0
-- A level and a recording rule over sessions: judged once, when the session is over by its gap or its max.
rule "shop/heavy" {
  owner = "shop", key = { "user" },
  inputs = { req = from "requests" {} },
  detect = level { of = sum("req", "bytes"), gap = "10s", max = "30s", warn = { above = 100, clear = 50 } },
  alert = incident { id = "heavy:${user}", title = "${user}: ${value} bytes in ${count} requests, ${first.path} to ${path}" },
}
rule "shop/visits" {
  owner = "shop", key = { "user" },
  inputs = { req = from "requests" {} },
  detect = measure { of = { bytes = sum("req", "bytes"), more = sum("req", "bytes") / prev(sum("req", "bytes")) }, gap = "10s" },
  emit = to "visits" { from_ms = "${start}", to_ms = "${stop}", requests = "${count}" },
}
