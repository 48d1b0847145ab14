#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A rule whose keys explode: the quietest go, which is counted, and whoever gets its alerts is told once."""
import json
import os
import time
import unittest

from harness import SystemTest, wait_for

RULE = """
rule "ops/many" {
  owner = "team-ops", key = { "host" }, max_keys = 10,
  inputs = { ev = from "hosts" {} },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 1000 } },
  alert = incident { route = "pager" },
}
"""


class ExplodingKeys(SystemTest):
    def setUp(self):
        self.file = self.write("hosts.ndjson", "")
        self.rules = self.write("rules/many.lua", RULE)
        self.out = self.path("out.ndjson")
        self.hosts = 0

    def pour(self, count):
        with open(self.file, "a", encoding="utf-8") as f:
            for _ in range(count):
                f.write(json.dumps({"host": f"h{self.hosts}"}) + "\n")
                self.hosts += 1

    def told(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def evicted(self, engine):
        return json.loads(engine.get("/api/v1/status")[1])["rules"][0]["keys_evicted"]

    def test_the_owner_is_told_once(self):
        engine = self.engine({
            "lanes": 1,
            "sources": {"file": {"kind": "file", "settings": {"path": self.file, "follow": True}}},
            "streams": {"hosts": {"source": "file"}},
            "rules": {"paths": [self.rules]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.out}}},
            "routes": {"pager": ["out"]}})
        self.pour(10)
        wait_for("all are known", lambda: json.loads(engine.get("/api/v1/status")[1])["rules"][0]["keys"] == 10)
        self.assertEqual(self.told(), [])
        self.pour(100)
        wait_for("somebody is told", self.told)
        before = self.evicted(engine)
        self.pour(100)
        wait_for("more had to go", lambda: self.evicted(engine) >= before + 100)
        looked_ms = time.time() * 1000 + 1500  # it looks once a second
        wait_for("it has looked again", lambda: time.time() * 1000 > looked_ms)
        told = self.told()
        self.assertEqual([t["incident"] for t in told], ["ops/many/max_keys"])
        self.assertEqual((told[0]["status"], told[0]["level"], told[0]["labels"]), ("firing", "warn", {"owner": "team-ops"}))
        self.assertIn("has more than max_keys (10) keys", told[0]["title"])


if __name__ == "__main__":
    unittest.main()
