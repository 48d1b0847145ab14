#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time begins with a backlog on all lanes at once: who is expected and comes late in it was silent until then, wherever
his key is judged."""
import json
import os
import time
import unittest

from harness import SystemTest, wait_for

HOSTS = [f"h{n}" for n in range(8)]  # on either lane some
RULES = """
rule "test/silent" {
  key = { "host" }, inputs = { ev = from "ops" {} },
  detect = missing { "ev", every = "15s", grace = "5s", expect = { table = "inventory" } },
  alert = incident { id = "silent:${host}" },
}
"""


class BacklogBegins(SystemTest):
    def told(self):
        if not os.path.exists(self.path("alerts")):
            return []
        with open(self.path("alerts"), encoding="utf-8") as f:
            return [(a["incident"], a["status"], a["at"]) for a in map(json.loads, f)]

    def test_a_key_that_first_comes_late_in_a_backlog_was_silent_until_then_on_either_lane(self):
        begin = (int(time.time()) - 600) * 1000
        beats = [(begin + 5000 * n, "busy") for n in range(60)]
        beats += [(begin + 200_000 + n, host) for n, host in enumerate(HOSTS)]
        self.write("rules/r.lua", RULES)
        self.write("inventory.csv", "host\n" + "".join(f"{host}\n" for host in HOSTS))
        self.write("ops", "".join(json.dumps({"host": host, "ts": at}) + "\n" for at, host in sorted(beats)))
        engine = self.engine({
            "lanes": 2,
            "sources": {"in": {"kind": "file", "settings": {"paths": {"ops": self.path("ops")}}}},
            "streams": {"ops": {"source": "in", "time": "ts"}},
            "tables": {"inventory": {"path": self.path("inventory.csv")}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("alerts")}}},
            "routes": {"default": ["out"]},
        })
        wait_for("all that came late was told", lambda: sum(s == "resolved" for _, s, _ in self.told()) == len(HOSTS))
        for n, host in enumerate(HOSTS):
            mine = [(status, at - begin) for incident, status, at in self.told() if incident == f"silent:{host}"]
            self.assertEqual(mine[:2], [("firing", 20_000), ("resolved", 200_000 + n)])
        self.assertEqual(engine.stop(), 0)


if __name__ == "__main__":
    unittest.main()
