#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job against a real broker: what kcat produces ends as alerts, through reloads under
load, a broker that is killed and an engine that is stopped and started again. What counts events
fires at exactly the last one, so an event that is lost or handled twice shows."""
import json
import os
import unittest

from harness import SystemTest, wait_for

HOSTS = 10

# A host's alert comes with its last event and carries its number: a lost event, and it never
# comes; one handled twice, and it comes too early.
COUNTING = """
rule "test/counting" {{
  owner = "team-test", version = "{version}",
  key = {{ "host" }},
  inputs = {{ ev = from "load" {{}} }},
  detect = level {{ of = count "ev", over = "1h", crit = {{ at_least = {each} }} }},
  alert = incident {{ id = "count:${{host}}", route = "all", title = "{title} ${{n}}" }},
}}
"""

# Each event is an alert of its own.
EACH = """
rule "test/each" {
  owner = "team-test", version = "1.0.0",
  key = { "n" },
  inputs = { ev = from "load" {} },
  detect = handler { on_event = function(e, ctx) ctx.fire { title = "one" } end },
  alert = incident { id = "n:${n}", route = "all" },
}
"""


def events(count, first=0):
    """Lines for kcat: key, tab, event; the hosts take turns."""
    return [f'host-{n % HOSTS}\t' + json.dumps({"host": f"host-{n % HOSTS}", "n": n})
            for n in range(first, first + count)]


class KafkaToAlerts(SystemTest):
    def configuration(self, kafka, rules, **more):
        self.write("rules/rule.lua", rules)
        config = {
            "lanes": 2,
            "sources": {"bus": {"kind": "kafka", "settings": {
                "brokers": kafka.address, "group": "tidewatch-test", "start": "earliest"}}},
            "streams": {"load": {"source": "bus", "topics": ["load"]}},
            "rules": {"paths": [self.path("rules")]},
            # every event is an alert here: on a busy machine more of them wait than a queue usually takes
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("alerts")}, "queue": 50000}},
            "routes": {"default": ["out"]},
            "positions": {"commit": "200ms"},
        }
        config.update(more)
        return config

    def alerts(self):
        if not os.path.exists(self.path("alerts")):
            return []
        with open(self.path("alerts"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def assert_each_host_fired_at_its_last_event(self, count):
        alerts = wait_for("all hosts have fired",
                          lambda: len(self.alerts()) >= HOSTS and self.alerts(), 60)
        self.assertEqual(sorted(int(a["title"].split()[-1]) for a in alerts),
                         list(range(count - HOSTS, count)))

    def test_what_kcat_produces_amtool_lists(self):
        kafka, alertmanager = self.kafka(), self.alertmanager()
        kafka.topic("load")
        config = self.configuration(
            kafka, COUNTING.format(version="1.0.0", each=3, title="seen"),
            sinks={"am": {"kind": "alertmanager", "settings": {
                "urls": [alertmanager.url("")]}}},
            routes={"default": ["am"]})
        self.engine(config)

        kafka.produce("load", events(3 * HOSTS), key="\t")

        alerts = wait_for("amtool lists an alert a host",
                          lambda: len(alertmanager.alerts()) == HOSTS and alertmanager.alerts())
        self.assertEqual({a["labels"]["host"] for a in alerts},
                         {f"host-{i}" for i in range(HOSTS)})
        self.assertEqual({a["labels"]["alertname"] for a in alerts}, {"test/counting"})

    def test_rules_edited_under_load_lose_no_event_and_keep_their_counts(self):
        count = 120000
        kafka = self.kafka()
        kafka.topic("load")
        rules = {"each": count // HOSTS, "title": "first"}
        engine = self.engine(self.configuration(kafka, COUNTING.format(version="1.0.0", **rules)))
        pour = kafka.pour("load", events(count), per_second=20000, key="\t")

        for edit in range(1, 6):
            wait_for("a part has been handled",
                     lambda edit=edit: engine.metric("tidewatch_events_total") > edit * count / 8)
            rules["title"] = f"edit {edit}"
            self.write("rules/rule.lua", COUNTING.format(version=f"1.0.{edit}", **rules))
            status, report = engine.reload()
            self.assertEqual((status, report["changed"], report["state_kept"]), (200, 1, 1),
                             report)
        self.write("rules/rule.lua", "rule 'test/counting' {\n  key = = 1\n}\n")
        status, report = engine.reload()
        self.assertEqual(status, 422, report)
        self.assertEqual(report["findings"][0]["line"], 2)
        pour.done()

        self.assert_each_host_fired_at_its_last_event(count)
        self.assertEqual(engine.metric("tidewatch_events_total"), count)
        self.assertEqual(engine.metric("tidewatch_rule_events_total", rule="test/counting"), count)
        self.assertEqual({a["title"].rpartition(" ")[0] for a in self.alerts()}, {"edit 5"})
        self.assertEqual(engine.stop(), 0)

    def test_a_broker_killed_and_started_again_costs_no_event(self):
        count = 40000
        kafka = self.kafka()
        kafka.topic("load")
        engine = self.engine(self.configuration(
            kafka, COUNTING.format(version="1.0.0", each=count // HOSTS, title="at")))
        pour = kafka.pour("load", events(count), per_second=5000, key="\t")
        wait_for("a part has been handled",
                 lambda: engine.metric("tidewatch_events_total") > count / 4)

        kafka.kill()
        wait_for("the engine says that the broker is away",
                 lambda: "broker" in engine.logged())
        kafka.start()
        pour.done()

        self.assert_each_host_fired_at_its_last_event(count)
        self.assertEqual(engine.metric("tidewatch_events_total"), count)

    def test_an_engine_stopped_and_started_again_handles_each_event_once(self):
        count = 20000
        kafka = self.kafka()
        kafka.topic("load")
        engine = self.engine(self.configuration(kafka, EACH))
        pour = kafka.pour("load", events(count), per_second=4000, key="\t")

        for part in range(1, 4):
            wait_for("a part has been told",
                     lambda part=part: len(self.alerts()) > part * count / 5, 60)
            self.assertEqual(engine.stop(), 0)
            engine.start()
        pour.done()

        wait_for("every event has been told", lambda: len(self.alerts()) >= count, 60)
        self.assertEqual(engine.stop(), 0)
        self.assertEqual(sorted(int(a["incident"][2:]) for a in self.alerts()),
                         list(range(count)))

    def test_a_broker_that_is_away_at_the_start_is_waited_for(self):
        kafka = self.kafka()
        kafka.topic("load")
        kafka.stop()
        engine = self.engine(self.configuration(
            kafka, COUNTING.format(version="1.0.0", each=2, title="at")), start=False)
        engine.start(ready=False)
        wait_for("it answers while it waits", lambda: engine.get("/-/healthy")[0] == 200)

        kafka.start()
        kafka.produce("load", events(2 * HOSTS), key="\t")

        self.assert_each_host_fired_at_its_last_event(2 * HOSTS)

    def test_a_topic_that_does_not_exist_is_named_and_the_others_go_on(self):
        kafka = self.kafka("auto.create.topics.enable=false")
        kafka.topic("load")
        engine = self.engine(self.configuration(
            kafka, COUNTING.format(version="1.0.0", each=2, title="at"),
            streams={"load": {"source": "bus", "topics": ["load"]},
                     "other": {"source": "bus", "topics": ["no_such_topic"]}}))
        wait_for("the status names the topic",
                 lambda: "no_such_topic" in engine.get("/api/v1/status")[1])

        kafka.produce("load", events(2 * HOSTS), key="\t")

        self.assert_each_host_fired_at_its_last_event(2 * HOSTS)
        self.assertIn("no_such_topic", engine.logged())


if __name__ == "__main__":
    unittest.main()
