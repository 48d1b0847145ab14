#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An engine that is started behind an outage: the last events are half an hour old and nothing comes after them. Who
fell silent then is the one who will never send an event, so nobody may wait for one: `max_age` holds back what is over,
and tells what still fires as soon as all there is has been read."""
import json
import os
import time
import unittest

from harness import SystemTest, wait_for

HALF_AN_HOUR = 1800

RULES = """
rule "test/silent" {
  key = { "host" }, clock = { idle = "1s" }, inputs = { ev = from "ops" {} },
  detect = missing { "ev", every = "2s" },
  alert = incident { route = "all", title = "silent ${silent}", max_age = "5m" },
}
rule "test/plain" {
  key = { "host" }, clock = { idle = "1s" }, inputs = { ev = from "ops" {} },
  detect = missing { "ev", every = "2s" },
  alert = incident { route = "all", title = "plain ${silent}" },
}
rule "test/unconfirmed" {
  key = { "host" }, clock = { idle = "1s" },
  inputs = { deploy = from "ops" { kind = "deploy" }, undo = from "ops" { kind = "undo" } },
  detect = seq { "deploy", { absent = "undo", lasting = "2s" } },
  alert = incident { route = "all", title = "unconfirmed", max_age = "5m" },
}
rule "test/over" {
  key = { "host" }, clock = { idle = "1s" }, inputs = { ev = from "ops" { kind = "bad" } },
  detect = level { of = count "ev", over = "10s", crit = { at_least = 1 } },
  alert = incident { route = "all", title = "over", max_age = "5m" },
}
rule "test/emits" {
  inputs = { ev = from "ops" {} }, clock = { idle = "1s" }, emit = to "emitted" { host = "${host}", kind = "${kind}" },
}
rule "test/behind_a_rule" {
  key = { "host" }, clock = { idle = "1s" }, inputs = { ev = from "emitted" {} },
  detect = missing { "ev", every = "2s" },
  alert = incident { route = "all", title = "behind", max_age = "5m" },
}
rule "test/over_behind_a_rule" {
  key = { "host" }, clock = { idle = "1s" }, inputs = { ev = from "emitted" { kind = "bad" } },
  detect = level { of = count "ev", over = "10s", crit = { at_least = 1 } },
  alert = incident { route = "all", title = "over", max_age = "5m" },
}
"""


class OldEvents(SystemTest):
    def starting(self, source, topics):
        self.write("rules/old.lua", RULES)
        self.since = time.time()
        return self.engine({
            "lanes": 2,
            "sources": {"in": source},
            "streams": {"ops": {"source": "in", "topics": topics, "time": "ts"}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("alerts")}}},
            "routes": {"default": ["out"]},
        })

    def lines(self, *kinds):
        """Events of half an hour ago, the last the newest."""
        now = time.time() - HALF_AN_HOUR
        return [json.dumps({"host": "h1", "kind": kind, "ts": round(now - (len(kinds) - n), 3)})
                for n, kind in enumerate(kinds)]

    def file(self, name, lines, age=0):
        self.write(name, "".join(f"{line}\n" for line in lines))
        then = time.time() - age
        os.utime(self.path(name), (then, then))
        return {"kind": "file", "settings": {"path": self.path(name), "follow": True}}

    def told(self):
        if not os.path.exists(self.path("alerts")):
            return []
        with open(self.path("alerts"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def wait_for_alerts(self, *rules):
        wait_for("the alerts of " + ", ".join(rules),
                 lambda: {f"test/{rule}" for rule in rules} <= {a["rule"] for a in self.told()})
        return {a["rule"]: a for a in self.told()}

    def notices(self):
        return [a for a in self.told() if a["incident"].endswith("/catching-up")]

    def status(self, engine):
        return json.loads(engine.get("/api/v1/status")[1])

    def test_a_file_read_to_its_end_has_been_caught_up_with(self):
        engine = self.starting(self.file("ops", self.lines("deploy"), HALF_AN_HOUR), ["ops"])
        told = self.wait_for_alerts("silent", "plain", "unconfirmed")
        self.assertEqual(self.notices(), [])
        # held back, and so said anew: up to now, not up to when it would have been due
        self.assertGreater(told["test/silent"]["values"]["silent"], HALF_AN_HOUR - 60)
        self.assertIn(f'silent {told["test/silent"]["values"]["silent"]:.0f}', told["test/silent"]["title"])
        # told as it was: of half an hour ago, when it was silent for two seconds
        self.assertEqual(told["test/plain"]["values"]["silent"], 2)
        self.assertLess(told["test/plain"]["at"] / 1000, self.since - HALF_AN_HOUR + 60)

        status = self.status(engine)
        self.assertEqual([(s["feeds"], s["ended"]) for s in status["sources"]], [(1, 1)])
        for rule in status["rules"]:
            self.assertLess(status["now"] - rule["clock"], 60000, rule["rule"])

    def test_a_restart_finds_the_same_again(self):
        engine = self.starting(self.file("ops", self.lines("deploy"), HALF_AN_HOUR), ["ops"])
        self.wait_for_alerts("silent", "unconfirmed")
        self.assertEqual(engine.stop(), 0)
        os.remove(self.path("alerts"))
        engine.start()
        self.wait_for_alerts("silent", "unconfirmed")
        self.assertEqual(self.notices(), [])

    def test_what_came_late_is_told_when_nothing_follows(self):
        """Written now, of half an hour ago: the clock stays that far behind, and still nothing is left to wait for; nor
        for a rule that reads what another one emits."""
        self.starting(self.file("ops", self.lines("deploy")), ["ops"])
        self.wait_for_alerts("silent", "unconfirmed", "behind_a_rule")
        self.assertEqual(self.notices(), [])

    def test_what_was_over_is_one_notice_that_says_so(self):
        self.starting(self.file("ops", self.lines("bad", "deploy"), HALF_AN_HOUR), ["ops"])
        self.wait_for_alerts("silent", "unconfirmed", "over", "over_behind_a_rule")
        wait_for("the end of the notices", lambda: len(self.notices()) == 4)
        for rule in "test/over", "test/over_behind_a_rule":
            notices = [n for n in self.notices() if n["rule"] == rule]
            self.assertEqual([n["status"] for n in notices], ["firing", "resolved"])
            self.assertEqual(notices[1]["title"],
                             f"{rule} has caught up; 1 alert ended before that and was not told")
        self.assertEqual([a for a in self.told() if a["title"] == "over"], [])

    def test_a_quiet_topic_holds_nobody_back(self):
        kafka = self.kafka()
        kafka.topic("ops", 2)
        kafka.produce("ops", self.lines("deploy"))
        engine = self.starting({"kind": "kafka", "settings": {
            "brokers": kafka.address, "group": "old", "start": "earliest"}}, ["ops"])
        told = self.wait_for_alerts("silent", "unconfirmed")
        self.assertEqual(self.notices(), [])
        self.assertEqual(told["test/silent"]["status"], "firing")
        wait_for("all partitions", lambda: self.status(engine)["sources"][0]["ended"] == 2)


if __name__ == "__main__":
    unittest.main()
