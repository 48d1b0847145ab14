#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a topic holds that it should not: each becomes a dead letter or an event by a stated rule,
is counted, and stops nothing."""
import json
import os
import unittest

from harness import SystemTest, run, wait_for

RULE = """
rule "test/seen" {
  owner = "team-test", version = "1.0.0",
  key = { "id" },
  inputs = { ev = from "load" {} },
  detect = handler { on_event = function(e, ctx) ctx.fire { title = "seen" } end },
  alert = incident { id = "seen:${id}", route = "all" },
}
"""

GOOD = {
    "escapes": '{"id": "escapes", "text": "\\u00e9\\n\\"x\\" \\ud83d\\ude00"}',
    "long-number": '{"id": "long-number", "v": %s}' % ("9" * 400),
    "tiny-number": '{"id": "tiny-number", "v": 0.%s1}' % ("0" * 400),
    "year-9999": '{"id": "year-9999", "time": "9999-12-31T23:59:59Z"}',
    "duplicate": '{"id": "first", "id": "duplicate"}',
    "in-array-1": '[{"id": "in-array-1"}, {"id": "in-array-2"}]',
}
BAD = {
    "deep": ('{"id": "deep", "v": ' + "[" * 5000 + "]" * 5000 + "}").encode(),
    "no-json": b"this is not JSON",
    "cut": b'{"id": "cut", "v": ',
    "utf-8": b'{"id": "utf-8", "text": "\xff\xfe"}',
    "number": b'{"id": 12.3.4}',
    "scalar": b"42",
    "empty-ish": b"   ",
    "year-1": b'{"id": "year-1", "time": "0001-01-01T00:00:00Z"}',
    "no-time": b'{"id": "no-time", "time": "yesterday"}',
    "large": b'{"id": "large", "v": "' + b"x" * (10 << 20) + b'"}',
}


class BadInput(SystemTest):
    def produce(self, kafka, payload):
        path = self.path("message")
        with open(path, "wb") as f:
            f.write(payload)
        run("kcat", "-P", "-b", kafka.address, "-t", "load",
            "-X", "message.max.bytes=20000000", path)

    def engine_on(self, kafka):
        self.write("rules/rule.lua", RULE)
        return self.engine({
            "sources": {"bus": {"kind": "kafka", "settings": {
                "brokers": kafka.address, "group": "test", "start": "earliest"}}},
            "streams": {"load": {"source": "bus", "topics": ["load"], "time": "time"}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("alerts")}},
                      "dead": {"kind": "kafka", "settings": {
                          "brokers": kafka.address, "topic": "dead",
                          "properties": {"message.max.bytes": "20000000"}}}},
            "routes": {"default": ["out"]},
            "dead_letters": {"sink": "dead"},
        })

    def seen(self):
        if not os.path.exists(self.path("alerts")):
            return set()
        with open(self.path("alerts"), encoding="utf-8") as f:
            return {json.loads(line)["incident"].removeprefix("seen:") for line in f}

    def test_each_is_handled_or_a_dead_letter_and_the_rest_goes_on(self):
        kafka = self.kafka("message.max.bytes=20000000", "replica.fetch.max.bytes=20000000")
        kafka.topic("load", 2)
        kafka.topic("dead", 1)
        engine = self.engine_on(kafka)

        for payload in BAD.values():
            self.produce(kafka, payload)
        run("kcat", "-P", "-b", kafka.address, "-t", "load", "-K", ":", "-Z", text="gone:\n")
        for payload in GOOD.values():
            self.produce(kafka, payload.encode())

        expected = set(GOOD) | {"in-array-2"}
        wait_for("all that is good was seen", lambda: self.seen() >= expected, 60)
        letters = wait_for("dead letters of all that is bad",
                           lambda: len(kafka.consume("dead")) >= len(BAD) and
                           kafka.consume("dead"))
        self.assertEqual(self.seen(), expected)
        self.assertEqual(len(letters), len(BAD))
        for letter in letters:
            headers = dict(zip(letter["headers"][::2], letter["headers"][1::2]))
            self.assertEqual(headers["tw_dlq_topic"], "load")
            self.assertGreater(len(headers["tw_dlq_error"]), 5)
            int(headers["tw_dlq_partition"]), int(headers["tw_dlq_offset"])
        self.assertIn("this is not JSON", {letter["payload"] for letter in letters})
        reasons = {dict(zip(x["headers"][::2], x["headers"][1::2]))["tw_dlq_error"] for x in letters}
        for reason in reasons:  # each at least once, however close together they came
            self.assertIn(reason[:40].replace('"', '\\"'), engine.logged())
        self.assertEqual(engine.metric("tidewatch_bad_records_total"), len(BAD))
        self.assertEqual(engine.metric("tidewatch_tombstones_total"), 1)
        self.assertEqual(engine.metric("tidewatch_events_clamped_total"), 1)
        self.assertEqual(engine.stop(), 0)


if __name__ == "__main__":
    unittest.main()
