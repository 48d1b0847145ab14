#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Look-up tables that are topics of a real broker: read whole before anything is judged, updated while
the engine runs, with tombstones, history, and without a consumer group."""
import json
import os
import time
import unittest

from harness import SystemTest, run, wait_for

RULE = """
rule "shop/owned" {
  owner = "team-test",
  inputs = { ev = from "load" {} },
  enrich = {
    owner = lookup { "owners", key = "service" },
    was = lookup { "owners", key = "service", as_of = "event" },
    lead = lookup { "leads", key = "${owner.team}", miss = { name = "nobody" } },
  },
  emit = to "owned" { owner = "${owner.team}", was = "${was.team}", lead = "${lead.name}" },
}

rule "shop/told" {
  owner = "team-test", key = { "service" },
  inputs = { ev = from "load" { alert = true } },
  detect = level { of = count "ev", over = "1h", crit = { at_least = 1 } },
  enrich = { owner = lookup { "owners", key = "service" } },
  alert = incident { route = "all", title = "ask ${owner.team}" },
}

rule "shop/silent" {
  owner = "team-test", key = { "service" },
  inputs = { ev = from "load" {} },
  detect = missing { "ev", every = "1h", expect = { table = "owners" } },
  alert = incident { route = "all", title = "silent" },
}
"""


def now_ms():
    return int(time.time() * 1000)


class Tables(SystemTest):
    def setUp(self):
        self.number = 0

    def configuration(self, address, **owners):
        self.write("rules/rule.lua", RULE)
        table = {"source": "names", "versions": 3}
        table.update(owners)
        return {
            "lanes": 2,
            "sources": {
                "bus": {"kind": "kafka", "settings": {
                    "brokers": address, "group": "test-load", "start": "earliest"}},
                "names": {"kind": "kafka", "settings": {"brokers": address}}},
            "streams": {"load": {"source": "bus", "time": "at"}},
            "tables": {"owners": table, "leads": {"source": "bus", "topic": "people", "key": "team"}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("out")}},
                      "alerts": {"kind": "file", "settings": {"path": self.path("alerts")}}},
            "routes": {"stream:owned": ["out"], "default": ["alerts"]},
        }

    def told(self, name="out"):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def enriched(self, kafka, service, at=None, **more):
        """What the rule makes of an event of this service."""
        self.number += 1
        number = self.number
        event = {"service": service, "at": at or now_ms(), "n": number, **more}
        kafka.produce("load", [json.dumps(event)])

        def found():
            for line in self.told():
                data = line.get("event") or line.get("data") or line
                if data.get("n") == number:
                    return data
            return None
        data = wait_for("the event is emitted", found)
        return data.get("owner"), data.get("was"), data.get("lead")

    def table(self, engine, name="owners"):
        status = json.loads(engine.get("/api/v1/status")[1])
        return next(t for t in status["tables"] if t["name"] == name)

    def put(self, kafka, engine, rows, topic="owners", name="owners"):
        """Values by key, None for a tombstone; waits until the engine has them."""
        before = self.table(engine, name)["records"] if engine else 0
        lines = [f"{k}\t{'' if v is None else json.dumps(v)}\n" for k, v in rows]
        run("kcat", "-P", "-E", "-Z", "-K", "\t", "-b", kafka.address, "-t", topic,
            text="".join(lines))
        if engine:
            wait_for("the table has them",
                     lambda: self.table(engine, name)["records"] >= before + len(rows))
            wait_for("the clock has moved", lambda at=now_ms() + 2: now_ms() > at)

    def test_updates_tombstones_and_rows_of_then(self):
        kafka = self.kafka()
        for topic in ("load", "owners", "people"):
            kafka.topic(topic, 3)
        self.put(kafka, None, [(f"s{n}", {"team": f"t{n % 7}"}) for n in range(5000)])
        self.put(kafka, None, [("cart", {"team": "web"}), ("gone", {"team": "web"}), ("gone", None)])
        run("kcat", "-P", "-E", "-b", kafka.address, "-t", "people",
            text='{"team": "web", "name": "ada"}\n{"team": "shop", "name": "eve"}\n')
        kafka.produce("load", [json.dumps({"service": "s13", "at": now_ms(), "n": 0})])
        engine = self.engine(self.configuration(kafka.address))

        # What was there before the engine is judged with the whole table.
        first = wait_for("the first event", self.told)[0]
        data = first.get("event") or first.get("data") or first
        self.assertEqual(data.get("owner"), "t6")
        self.assertEqual(self.table(engine)["rows"], 5001)
        self.assertTrue(self.table(engine)["read"])
        self.assertEqual(engine.metric("tidewatch_table_rows", table="owners"), 5001)
        self.assertEqual(engine.metric("tidewatch_table_read", table="leads"), 1)
        self.assertEqual(self.enriched(kafka, "cart"), ("web", "web", "ada"))
        self.assertEqual(self.enriched(kafka, "gone"), (None, None, "nobody"))

        web = now_ms()
        self.put(kafka, engine, [("cart", {"team": "shop"})])
        self.assertEqual(self.enriched(kafka, "cart", alert=True), ("shop", "shop", "eve"))
        self.assertEqual(self.enriched(kafka, "cart", at=web), ("shop", "web", "eve"))
        wait_for("the alert", lambda: self.told("alerts"))
        self.assertEqual([a["title"] for a in self.told("alerts")], ["ask shop"])
        shop = now_ms()
        self.put(kafka, engine, [("cart", None)])
        self.assertEqual(self.enriched(kafka, "cart"), (None, None, "nobody"))
        self.assertEqual(self.enriched(kafka, "cart", at=shop), (None, "shop", "nobody"))
        self.assertEqual(self.table(engine)["rows"], 5000)

        # Odd records change nothing and are told once a reason.
        self.put(kafka, engine, [("s1", "no row"), ("s1", [1]), ("s1", 5)])
        self.assertEqual(self.enriched(kafka, "s1")[0], "t1")
        self.assertEqual(self.table(engine)["odd"], 3)
        self.assertEqual(engine.logged().count("a record is not taken"), 1)
        self.assertIn("no JSON object", self.table(engine)["error"])
        out = engine.command("status", "-c", engine.file).stdout
        self.assertRegex(out, r"owners +5,000 ")

        # A new owner of a file of rules: the table stays as it is.
        self.assertEqual(engine.reload()[0], 200)
        self.assertEqual(self.enriched(kafka, "s2")[0], "t2")
        self.assertEqual(engine.stop(), 0)
        self.assertNotIn("ERROR", engine.logged())

    def test_judging_waits_for_a_table_but_not_for_ever(self):
        kafka = self.kafka()
        kafka.topic("load", 1)
        kafka.topic("people", 1)
        self.write("none", "")
        engine = self.engine(self.configuration(kafka.address, wait="3s"), start=False)
        engine.start(ready=False)
        reason = wait_for("it says what it waits for",
                          lambda: "table owners: being read" in engine.get("/-/ready")[1]
                          and engine.get("/-/ready")[1])
        self.assertNotIn("leads", reason.replace("table leads: being read, 0 records so far", ""))
        wait_for("judging begins", lambda: engine.get("/-/ready")[0] == 200)
        self.assertIn("judging begins without all of it", engine.logged())
        self.assertIn("topic owners does not exist", self.table(engine)["error"])
        self.assertEqual(self.enriched(kafka, "cart")[0], None)

        # The topic comes later and is read all the same.
        kafka.topic("owners", 2)
        self.put(kafka, None, [("cart", {"team": "web"})])
        wait_for("it is read", lambda: self.table(engine)["read"], 60)
        self.assertEqual(self.table(engine)["error"], None)
        self.assertEqual(self.enriched(kafka, "cart")[0], "web")

        # A broker that goes and comes back: the rows stay, and updates come again.
        kafka.kill()
        wait_for("it says so", lambda: "cannot be read" in (self.table(engine)["error"] or ""), 60)
        self.assertEqual(self.table(engine)["rows"], 1)
        kafka.start()
        run("kcat", "-P", "-E", "-K", "\t", "-b", kafka.address, "-t", "owners",
            text='cart\t{"team": "shop"}\n')
        wait_for("the update", lambda: self.table(engine)["records"] == 2, 60)
        self.assertEqual(self.enriched(kafka, "cart")[0], "shop")
        self.assertEqual(engine.stop(), 0)

    def test_a_table_of_a_topic_takes_a_restart(self):
        kafka = self.kafka()
        for topic in ("load", "owners", "people"):
            kafka.topic(topic, 1)
        config = self.configuration(kafka.address)
        engine = self.engine(config)
        engine.config["tables"]["owners"]["rows"] = 7
        engine.config["tables"]["more"] = {"source": "bus"}
        with open(engine.file, "w", encoding="utf-8") as f:
            json.dump(engine.config, f)
        status, report = engine.reload()
        self.assertEqual(status, 200, report)
        self.assertEqual(sorted(report["takes_restart"]), ["tables.more", "tables.owners"])
        self.write("rules/rule.lua", RULE.replace('"leads"', '"more"'))
        status, report = engine.reload()
        self.assertEqual(status, 422)
        self.assertIn("there is no table 'more'", json.dumps(report))


if __name__ == "__main__":
    unittest.main()
