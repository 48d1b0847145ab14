#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with alerts that are not delivered yet: what can be delivered is, the rest is kept as
dead letters or counted as lost and said, and the end comes in time."""
import json
import re
import signal
import threading
import time
import unittest

from harness import free_port, wait_for
from strict import HANG, StrictReceiver, reply
from test_sinks import DELIVERIES, SinkTest


class Shutdown(SinkTest):
    def engine_with(self, sinks, drain="1s", **more):
        return super().engine_with(sinks, shutdown={"drain": drain}, **more)

    def end(self, engine):
        """SIGTERM; returns (exit code, seconds it took, what the last line says)."""
        began = time.monotonic()
        code = engine.stop()
        return code, time.monotonic() - began, self.last_words(engine)

    @staticmethod
    def last_words(engine):
        with open(engine.log(), encoding="utf-8") as log:
            last = log.read().splitlines()[-1]
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)\b", last)}

    def logged(self, engine, text):
        with open(engine.log(), encoding="utf-8") as log:
            return [line for line in log if text in line]

    def test_what_waits_is_delivered_before_the_end(self):
        gate = threading.Event()
        slow = StrictReceiver(lambda request: gate.wait(20) and reply(200))
        self.addCleanup(slow.close)
        engine = self.engine_with({"slow": self.webhook(slow, timeout="30s")}, drain="20s")
        names = {f"h{i}" for i in range(100)}
        self.hosts.say("down", *names)
        self.await_metric(engine, 92, "tidewatch_outbox_queued", sink="slow")

        engine.process.send_signal(signal.SIGTERM)
        wait_for("it is not ready any more", lambda: engine.get("/-/ready")[0] == 503)
        gate.set()

        self.assertEqual(engine.process.wait(20), 0)
        self.assertEqual({r.json()["alerts"][0]["labels"]["host"] for r in slow.requests}, names)
        self.assertEqual(len(slow.requests), 100)
        self.assertEqual(self.last_words(engine)["dead_letters"], 0)
        self.assertEqual(slow.faults, [])

    def test_an_alert_that_waits_for_company_is_told_at_the_stop(self):
        receiver = self.strict()
        with open(self.hosts.rules, encoding="utf-8") as f:
            rule = f.read()
        self.write("rules/hosts.lua", rule.replace('route = "ops",', (
            'route = "ops", group = { by = { "service" }, wait = "1h" },')))
        engine = self.engine_with({"team": self.webhook(receiver)})
        self.hosts.say("down", "h1", "h2")
        self.await_metric(engine, 2, "tidewatch_incidents_open")
        self.assertEqual(receiver.requests, [])

        self.assertEqual(engine.stop(), 0)

        self.assertEqual([r.json()["status"] for r in receiver.requests], ["firing"])

    def test_what_a_sink_does_not_take_in_time_becomes_dead_letters(self):
        bad, good = self.strict(HANG), self.strict()
        away = {"kind": "webhook", "settings": {"url": f"http://127.0.0.1:{free_port()}/"},
                "backoff": "20ms", "backoff_max": "50ms"}
        team = {"kind": "alertmanager", "settings": {"urls": f"http://127.0.0.1:{free_port()}"}}
        engine = self.engine_with({"bad": self.webhook(bad, timeout="10m"), "away": away,
                                   "team": team, "good": self.webhook(good)})
        names = {f"h{i}" for i in range(100)}
        self.hosts.say("down", *names)
        self.await_metric(engine, 100, DELIVERIES, sink="good", answer="done")

        code, seconds, said = self.end(engine)

        self.assertEqual(code, 0)
        self.assertGreater(seconds, 0.9)
        self.assertLess(seconds, 8)
        self.assertEqual((said["dead_letters"], said["dead_letters_lost"]), (300, 0))
        letters = self.dead_letters()
        self.assertEqual({letter["error"] for letter in letters}, {"the engine stops"})
        hosts = [json.loads(letter["data"])["labels"]["host"] for letter in letters]
        self.assertEqual(sorted(hosts), sorted(list(names) * 3))
        for sink in ["bad", "away", "team"]:
            self.assertEqual(len(self.logged(
                engine, f"when their time is over\" sink={sink} records=100")), 1)
        self.assertLess(len(self.logged(engine, "a record is given up")), 10)

    def test_without_a_place_for_dead_letters_they_are_counted_as_lost(self):
        bad = self.strict(HANG)
        engine = self.engine(self.hosts.config({"bad": self.webhook(bad, timeout="10m")},
                                               shutdown={"drain": "100ms"}))
        self.hosts.say("down", "h1", "h2", "h3")
        self.await_metric(engine, 3, "tidewatch_outbox_inflight", sink="bad")

        code, seconds, said = self.end(engine)

        self.assertEqual((code, said["dead_letters"], said["dead_letters_lost"]), (0, 3, 3))
        self.assertLess(seconds, 8)

    def test_a_dead_letter_sink_that_hangs_too_does_not_hold_the_end(self):
        bad, dead = self.strict(HANG), self.strict(HANG)
        engine = self.engine(self.hosts.config(
            {"bad": self.webhook(bad, timeout="10m"), "dead": self.webhook(dead, timeout="10m")},
            to=["bad"], dead_letters={"sink": "dead"}, shutdown={"drain": "100ms"}))
        self.hosts.say("down", "h1", "h2", "h3")
        self.await_metric(engine, 3, "tidewatch_outbox_inflight", sink="bad")

        code, seconds, said = self.end(engine)

        self.assertEqual((code, said["dead_letters"], said["dead_letters_lost"]), (0, 3, 3))
        self.assertLess(seconds, 8)
        self.assertEqual(len(dead.requests), 3)

    def test_a_second_signal_ends_the_wait(self):
        bad = self.strict(HANG)
        engine = self.engine_with({"bad": self.webhook(bad, timeout="10m")}, drain="1h")
        self.hosts.say("down", "h1")
        self.await_metric(engine, 1, "tidewatch_outbox_inflight", sink="bad")

        engine.process.send_signal(signal.SIGTERM)
        wait_for("it is not ready any more", lambda: engine.get("/-/ready")[0] == 503)
        wait_for("it says what it waits for", lambda: any(
            "records=1 at_most=1h" in line
            for line in self.logged(engine, "delivering what is left")))
        code, seconds, said = self.end(engine)

        self.assertEqual((code, said["dead_letters"], said["dead_letters_lost"]), (0, 1, 0))
        self.assertLess(seconds, 8)
        self.assertEqual(len(self.dead_letters()), 1)


if __name__ == "__main__":
    unittest.main()
