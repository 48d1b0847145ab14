#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A table file that is replaced again and again under load: every event is enriched from one version or the next, and a
file that is half written keeps the last good one, and shows."""
import json
import os
import threading
import time
import unittest

from harness import SystemTest, wait_for

RULES = """
rule "ops/enriched" {
  inputs = { ev = from "hosts" {} },
  enrich = { inv = lookup { "inventory", key = "host", miss = "keep" } },
  emit = to "enriched" { a = "${inv.a}", b = "${inv.b}", number = "${number}" },
}
"""

HOSTS = 50
VERSIONS = 100


def table(version):
    rows = "".join(f"h{i},{version},{version}\n" for i in range(HOSTS))
    return "host,a,b\n" + rows


class TableReload(SystemTest):
    def setUp(self):
        self.file = self.write("hosts.ndjson", "")
        self.rules = self.write("rules/enriched.lua", RULES)
        self.table = self.write("inventory.csv", table(1))
        self.out = self.path("out.ndjson")
        self.poured = 0
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)

    def pour(self):
        with open(self.file, "a", encoding="utf-8") as f:
            while not self.stop.is_set():
                for _ in range(20):
                    f.write(json.dumps({"host": f"h{self.poured % HOSTS}", "number": self.poured}) + "\n")
                    self.poured += 1
                f.flush()
                time.sleep(0.005)

    def replace(self, text):
        """As an editor does it: the file is whole whenever somebody opens it."""
        with open(self.table + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.table + ".new", self.table)

    def table_status(self, engine):
        return json.loads(engine.get("/api/v1/status")[1])["tables"][0]

    def enriched(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as f:
            lines = f.read().split("\n")
        return [json.loads(line) for line in lines[:-1] if line]

    def newest(self):
        events = self.enriched()
        return int(events[-1].get("a", 0)) if events else 0

    def test_a_table_is_replaced_under_load(self):
        engine = self.engine({
            "lanes": 2, "log": {"level": "info"},
            "sources": {"file": {"kind": "file", "settings": {"path": self.file, "follow": True}}},
            "streams": {"hosts": {"source": "file"}},
            "tables": {"inventory": {"path": self.table, "key": "host"}},
            "rules": {"paths": [self.rules], "watch": True},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.out}}},
            "routes": {"stream:enriched": ["out"]}})
        thread = threading.Thread(target=self.pour, daemon=True)
        thread.start()
        wait_for("the first version is seen", lambda: self.newest() == 1)
        for version in range(2, VERSIONS + 1):
            self.replace(table(version))
            if version % 10 == 0:
                wait_for(f"version {version} is seen", lambda v=version: self.newest() == v)

        self.replace(table(VERSIONS + 1)[:36])  # ends in the middle of a row
        wait_for("the broken file shows", lambda: self.table_status(engine).get("error"))
        self.assertEqual(self.table_status(engine)["rows"], HOSTS)
        before = self.poured
        wait_for("events go on", lambda: self.poured > before + 200 and len(self.enriched()) > before + 100)
        self.assertEqual(self.newest(), VERSIONS)
        self.replace(table(VERSIONS + 2))
        wait_for("the whole one is taken", lambda: self.newest() == VERSIONS + 2)
        wait_for("it no longer shows", lambda: not self.table_status(engine).get("error"))

        self.replace(table(VERSIONS + 3).replace("host,a,b", "host,a,c"))  # a rule reads b
        wait_for("the lost column shows", lambda: "no column 'b'" in (self.table_status(engine).get("error") or ""))
        before = self.poured
        wait_for("events go on", lambda: self.poured > before + 200 and len(self.enriched()) > before + 100)
        self.assertEqual(self.newest(), VERSIONS + 2)
        self.write("rules/enriched.lua", RULES.replace("inv.b", "inv.c"))
        wait_for("with rules that read it no more it is taken", lambda: self.newest() == VERSIONS + 3)
        wait_for("it no longer shows", lambda: not self.table_status(engine).get("error"))

        self.stop.set()
        thread.join()
        wait_for("every event left", lambda: len(self.enriched()) == self.poured)
        events = self.enriched()
        self.assertEqual([e for e in events if not e.get("a") or e["a"] != e.get("b")], [])
        self.assertEqual(sorted(int(e["number"]) for e in events), list(range(self.poured)))
        versions = [int(e["a"]) for e in sorted(events, key=lambda e: int(e["number"]))]
        self.assertEqual(versions, sorted(versions))  # one partition: none from before


if __name__ == "__main__":
    unittest.main()
