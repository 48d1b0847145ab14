# SPDX-License-Identifier: Apache-2.0
"""Hosts that go down and up: a rule, the file its events are read from, and an engine's
configuration, for tests of what happens to alerts after the rule."""
import json
import time

RULE = """
rule "ops/host_down" {
  key = { "host" },
  inputs = { ev = from "hosts" { kind = oneof("down", "slow", "up") } },
  detect = handler {
    on_event = function(e, ctx)
      if e.kind == "up" then
        ctx.resolve()
      else
        ctx.fire { severity = e.kind == "down" and "crit" or "warn", title = "the host is " .. e.kind }
      end
    end,
  },
  alert = incident {
    id = "host:${host}", route = "ops", title = "${host} is not well",
    labels = { service = "${service}" },
  },
}
"""


class Hosts:
    """Belongs to a SystemTest; say() appends an event for each host."""

    def __init__(self, test):
        self.file = test.write("hosts.ndjson", "")
        self.rules = test.write("rules/hosts.lua", RULE)

    def say(self, kind, *hosts, **more):
        with open(self.file, "a", encoding="utf-8") as f:
            for host in hosts:
                event = {"time": int(time.time() * 1000), "kind": kind, "host": host,
                         "service": "cart", **more}
                f.write(json.dumps(event) + "\n")

    def config(self, sinks, to=None, **more):
        """An engine that follows the file; alerts go to the sinks `to`, else to all."""
        return {"lanes": 2, "log": {"level": "info"},
                "sources": {"file": {"kind": "file",
                                     "settings": {"path": self.file, "follow": True}}},
                "streams": {"hosts": {"source": "file", "time": "time"}},
                "rules": {"paths": [self.rules]}, "sinks": sinks,
                "routes": {"ops": to or list(sinks)}, **more}
