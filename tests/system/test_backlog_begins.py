#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time begins with a backlog on all lanes at once: who is expected and comes late in it was silent until then, wherever
his key is judged."""
import json
import os
import time
import unittest

from harness import SystemTest, run, wait_for

HOSTS = [f"h{n}" for n in range(8)]  # on either lane some
RULES = """
rule "test/silent" {
  key = { "host" }, inputs = { ev = from "ops" {} },
  detect = missing { "ev", every = "15s", grace = "5s", expect = { table = "inventory" } },
  alert = incident { id = "silent:${host}" },
}
"""


class BacklogBegins(SystemTest):
    def told(self, name="alerts"):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="utf-8") as f:
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

    def parts(self, begin):
        """Four, far apart and of different lengths; the earliest is neither the first nor the longest. Two hosts come late
        in each."""
        lines = []
        for n, (first, count) in enumerate([(1500, 4000), (300, 20), (900, 1500), (0, 200)]):
            beats = [(begin + 1000 * first + 100 * i, "busy") for i in range(count)]
            beats += [(begin + 1_800_000 + 1000 * n + 5000 * k, HOSTS[n + 4 * k]) for k in range(2)]
            beats.append((begin + 1_900_000, "busy"))
            lines.append([json.dumps({"host": host, "ts": at}) for at, host in sorted(beats)])
        return lines

    def judge_on_lanes(self, lanes, source, stream, begin):
        alerts = f"alerts-{lanes}"
        engine = self.engine({
            "lanes": lanes,
            "sources": {"in": source},
            "streams": {"ops": {"source": "in", "time": "ts", **stream}},
            "tables": {"inventory": {"path": self.path("inventory.csv")}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path(alerts)}}},
            "routes": {"default": ["out"]},
        }, name=f"engine-{lanes}")
        wait_for(f"all was told on {lanes} lanes", lambda: len(self.told(alerts)) >= 3 * len(HOSTS))
        self.assertEqual(engine.stop(), 0)
        for n, host in enumerate(HOSTS):
            heard = 1_800_000 + 1000 * (n % 4) + 5000 * (n // 4)
            mine = [(status, at - begin) for incident, status, at in self.told(alerts) if incident == f"silent:{host}"]
            self.assertEqual(mine[:3], [("firing", 20_000), ("resolved", heard), ("firing", heard + 20_000)], (lanes, host))

    def test_partitions_of_a_topic_that_begin_far_apart_begin_the_time_of_a_rule_at_once_on_any_lanes(self):
        begin = (int(time.time()) - 7200) * 1000
        kafka = self.kafka()
        kafka.topic("ops", partitions=4)
        self.write("rules/r.lua", RULES)
        self.write("inventory.csv", "host\n" + "".join(f"{host}\n" for host in HOSTS))
        for n, lines in enumerate(self.parts(begin)):
            run("kcat", "-P", "-b", kafka.address, "-t", "ops", "-p", str(n), text="".join(f"{line}\n" for line in lines))
        for lanes in 1, 2, 4:
            self.judge_on_lanes(lanes, {"kind": "kafka", "settings": {
                "brokers": kafka.address, "group": f"begins-{lanes}", "start": "earliest"}}, {"topics": ["ops"]}, begin)

    def test_files_that_begin_far_apart_begin_the_time_of_a_rule_at_once_on_any_lanes(self):
        begin = (int(time.time()) - 7200) * 1000
        self.write("rules/r.lua", RULES)
        self.write("inventory.csv", "host\n" + "".join(f"{host}\n" for host in HOSTS))
        for n, lines in enumerate(self.parts(begin)):
            self.write(f"ops-{n}", "".join(f"{line}\n" for line in lines))
        names = [f"ops-{n}" for n in range(4)]
        for lanes in 1, 2, 4:
            self.judge_on_lanes(lanes, {"kind": "file", "settings": {"paths": {name: self.path(name) for name in names}}},
                                {"topics": names}, begin)


if __name__ == "__main__":
    unittest.main()
