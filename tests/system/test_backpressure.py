#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sink that cannot keep up with emitted events: sources wait for it and nothing is lost; one that stays dead does
not silence the alerts of others for longer than its `pause`."""
import itertools
import json
import threading
import time
import unittest

from harness import SystemTest, wait_for
from strict import HANG, StrictReceiver, reply

RULES = """
rule "ops/copies" {
  inputs = { ev = from "hosts" {} },
  emit = to "copies" {},
}
rule "ops/host_down" {
  key = { "host" },
  inputs = { ev = from "hosts" { kind = "down" } },
  detect = handler { on_event = function(e, ctx) ctx.fire { severity = "crit" } end },
  alert = incident { id = "host:${host}", route = "ops" },
}
"""

EVENTS = 4000
QUEUE = 50


class Backpressure(SystemTest):
    def setUp(self):
        self.file = self.write("hosts.ndjson", "")
        self.rules = self.write("rules/copies.lua", RULES)
        self.go = threading.Event()
        self.numbers = itertools.count()

    def receiver(self, answer):
        receiver = StrictReceiver(answer)
        self.addCleanup(receiver.close)
        return receiver

    def say(self, kind, count, host="h"):
        with open(self.file, "a", encoding="utf-8") as f:
            for _ in range(count):
                f.write(json.dumps({"time": int(time.time() * 1000), "kind": kind, "host": host,
                                    "number": next(self.numbers)}) + "\n")

    def engine_of(self, archive, alerts, pause):
        def webhook(receiver, **more):
            return {"kind": "webhook", "backoff": "20ms", "backoff_max": "100ms",
                    "settings": {"url": receiver.url, "timeout": "30s", "format": "json"}, **more}
        return self.engine({
            "lanes": 2, "log": {"level": "info"},
            "sources": {"file": {"kind": "file", "settings": {"path": self.file, "follow": True}}},
            "streams": {"hosts": {"source": "file", "time": "time"}},
            "rules": {"paths": [self.rules]},
            "sinks": {"archive": webhook(archive, queue=QUEUE, pause=pause, timeout="500ms"),
                      "pager": webhook(alerts),
                      "dead": {"kind": "file", "settings": {"path": self.path("dead.ndjson")}}},
            "dead_letters": {"sink": "dead"},
            "routes": {"ops": ["pager"], "stream:copies": ["archive"]}})

    def test_sources_wait_for_a_sink_and_nothing_is_lost(self):
        archive = self.receiver(lambda request: reply(200) if self.go.is_set() else HANG)
        alerts = self.receiver(lambda request: reply(200))
        engine = self.engine_of(archive, alerts, pause="1h")
        self.say("up", EVENTS)
        self.say("down", 1, host="last")

        wait_for("sources wait", lambda: engine.metric("tidewatch_sink_holds_sources", sink="archive") == 1)
        handled = engine.metric("tidewatch_events_total")
        self.assertLess(handled, EVENTS)
        status = json.loads(engine.get("/api/v1/status")[1])
        self.assertEqual({s["name"]: s["holds_sources"] for s in status["sinks"]},
                         {"archive": True, "pager": False, "dead": False})
        wait_for("deliveries are tried again",
                 lambda: engine.metric("tidewatch_deliveries_total", sink="archive", answer="retry") > 1)
        self.assertLess(engine.metric("tidewatch_events_total"), handled + 300)
        self.assertEqual(engine.metric("tidewatch_outbox_given_up_total"), 0)

        self.go.set()
        wait_for("all copies arrive", lambda: len(self.numbers_of(archive)) == EVENTS + 1, seconds=120)
        wait_for("the alert arrives", lambda: alerts.requests)
        self.assertEqual(engine.metric("tidewatch_outbox_given_up_total"), 0)
        self.assertEqual(engine.metric("tidewatch_sink_holds_sources", sink="archive"), 0)

    def numbers_of(self, receiver):
        return {r.json()["number"] for r in list(receiver.requests)}

    def test_a_dead_sink_does_not_silence_alerts_for_longer_than_its_pause(self):
        archive = self.receiver(lambda request: HANG)
        alerts = self.receiver(lambda request: reply(200))
        engine = self.engine_of(archive, alerts, pause="2s")
        self.say("up", EVENTS)
        self.say("down", 1, host="last")

        wait_for("sources wait", lambda: engine.metric("tidewatch_sink_holds_sources", sink="archive") == 1)
        self.assertEqual(alerts.requests, [])
        wait_for("the alert arrives", lambda: alerts.requests)
        wait_for("what the queue cannot hold is given up", lambda: engine.metric(
            "tidewatch_outbox_given_up_total", sink="archive", reason="overflow") == EVENTS + 1 - QUEUE)
        self.assertIn("longer than its 'pause'", engine.logged())
        self.assertEqual(engine.metric("tidewatch_sink_holds_sources", sink="archive"), 0)

        self.say("up", EVENTS)  # it still fails: it has had its time
        self.say("down", 1, host="later")
        wait_for("the second alert arrives", lambda: len(alerts.requests) == 2, seconds=10)


if __name__ == "__main__":
    unittest.main()
