#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages under rules/ as somebody would run them: events of a bad hour from a real broker, metrics from
a real Prometheus, and the alerts that the packages' pages promise, each once."""
import json
import os
import time
import unittest

from harness import ROOT, SystemTest, wait_for

TOPICS = ["scaling_events", "failure_events", "resource_provisioning", "deploys", "config_changes"]
MINUTE = 60_000
HOUR = 60 * MINUTE


def bad_hour():
    """(topic, minute, event), by what they lead to."""
    for n in range(6):
        yield "failure_events", 1 + n, {"id": f"c{n}", "type": "crash", "service": "cart", "pod": "cart-1", "az": "eu-1a",
                                        "host": "h1", "reason": "exit 137"}
    for n in range(7):
        for check in range(3):
            yield "failure_events", 10 + check / 3 + n / 30, {
                "type": "health_check", "host": f"b{n}", "az": "eu-1b", "service": "shop"}
    for n in range(4):
        yield "failure_events", 20 + n / 3, {"type": "health_check", "host": "lone", "az": "eu-1c", "service": "shop"}
    yield "deploys", 5, {"type": "deploy", "result": "ok", "service": "pay", "version": "v9"}
    for n in range(5):
        yield "failure_events", 6 + n / 2, {"type": "timeout", "service": "pay", "version": "v9", "pod": f"p{n}",
                                            "reason": "db"}
    yield "deploys", 30, {"type": "rollback", "service": "pay", "version": "v8"}
    yield "config_changes", 31, {"result": "ok", "service": "mail", "name": "pool", "from": 20, "to": 2}
    for n in range(5):
        yield "failure_events", 32 + n / 2, {"type": "timeout", "service": "mail", "version": "v1", "pod": f"m{n}"}
    for n, action in enumerate(["scale_out", "scale_in"] * 2):
        yield "scaling_events", 2 + 5 * n, {"action": action, "result": "ok", "service": "search", "from": 4, "to": 8}
    yield "scaling_events", 3, {"action": "scale_out", "result": "failed", "service": "cart", "from": 4, "to": 8,
                                "reason": "no room"}
    yield "scaling_events", 4, {"id": "s1", "action": "scale_out", "result": "requested", "service": "pay",
                                "from": 2, "to": 4}
    yield "resource_provisioning", 1, {"type": "pod", "action": "create", "cluster": "eu", "pod": "cart-7",
                                       "service": "cart"}
    yield "resource_provisioning", 2, {"type": "volume", "action": "request", "cluster": "eu", "id": "v1"}
    yield "resource_provisioning", -28 * 60, {"type": "volume", "action": "ready", "cluster": "eu", "id": "n1"}
    yield "resource_provisioning", -27 * 60, {"type": "address", "action": "detach", "cluster": "eu", "id": "a1",
                                              "service": "old"}
    for topic in TOPICS:  # time goes on, on every partition
        for n in range(40):
            yield topic, 50 + n / 60, {"type": "tick", "host": f"tick-{n}"}


# What the pages promise of it: incident and level.
PROMISED = {
    ("failures/crash_loop/group/cart", "crit"),
    ("zone_down:eu-1b", "crit"),
    ("host_down:lone", "warn"),
    ("after_deploy:pay", "crit"),
    ("after_config_change:mail", "warn"),
    ("scaling_flaps:search", "warn"),
    ("scaling_failed:cart", "warn"),
    ("scaling_unanswered:pay", "warn"),
    ("provisioning/stuck_pod/group/eu", "warn"),
    ("stuck:eu:v1", "warn"),
    ("never_used:eu:n1", "info"),
    ("orphaned:eu:a1", "info"),
}


# What is on the page of metrics: before, and when something has happened.
SERIES = {
    'memory_percent{service="cart",pod="cart-9"}': (95, 95),
    'cpu_percent{service="pay",pod="p1"}': (97, 97),
    'cpu_percent{service="web",pod="web-2"}': (50, 80),
    'memory_percent{service="web",pod="web-2"}': (40, 70),
    'api_latency_p99{service="grow"}': (900, 900),
    'api_latency_p99{service="shrink"}': (200, 500),
    'throughput{cluster="busy"}': (1000, 1000),
}


def now_happens():
    """(topic, event), for the rules that hold events against metrics."""
    yield "failure_events", {"type": "oom_kill", "service": "cart", "pod": "cart-9", "reason": "exit 137"}
    yield "failure_events", {"type": "timeout", "service": "pay", "pod": "p1"}
    yield "failure_events", {"type": "crash", "service": "web", "pod": "web-1", "reason": "exit 1"}
    yield "scaling_events", {"action": "scale_out", "result": "ok", "service": "grow", "from": 4, "to": 8}
    yield "scaling_events", {"action": "scale_in", "result": "ok", "service": "shrink", "from": 8, "to": 4}
    yield "resource_provisioning", {"type": "node", "action": "ready", "cluster": "busy", "id": "n7"}


PROMISED_NOW = {
    ("exhausted_memory:cart:cart-9", "warn"): "cart-9 of cart crashed (exit 137) with its memory 95 % full",
    ("exhausted_cpu:pay:p1", "warn"): "p1 of pay does not answer with its processor 97 % busy",
    ("cpu_after_failure:web", "warn"): "cpu of web went from 50 % to 80 % after web-1 failed (exit 1)",
    ("memory_after_failure:web", "warn"): "memory of web went from 40 % to 70 % after web-1 failed (exit 1)",
    ("out_without_effect:grow", "warn"): "grow was scaled out from 4 to 8, and nothing got better",
    ("in_hurts:shrink", "warn"): "shrink was scaled in from 8 to 4, and it shows: latency worse, "
                                 "errors unknown, saturation unknown",
    ("no_throughput:busy", "info"): "n7 was added to busy, throughput is same: 1000 before, 1000 after",
}
SPANS = {"before": "5s", "settle": "2s", "after": "5s", "lateness": "1s"}  # minutes would be too long for a test
SHORT = ["failures/cpu_after", "failures/memory_after", "scaling/latency_verdict", "scaling/errors_verdict",
         "scaling/saturation_verdict", "provisioning/no_throughput"]


class Packages(SystemTest):
    def start(self, kafka, prometheus):
        return self.engine({
            "lanes": 2,
            "sources": {
                "bus": {"kind": "kafka", "settings": {"brokers": kafka.address, "start": "earliest"}},
                "prometheus": {"kind": "prometheus", "settings": {
                    "interval": "500ms", "server": prometheus.address,
                    "queries": {name: name for name in (
                        "memory_percent", "cpu_percent", "api_latency_p99", "error_ratio", "throughput")}}}},
            "streams": {**{t: {"source": "bus", "topics": [t], "time": "time"} for t in TOPICS},
                        "metrics": {"source": "prometheus"}},
            "rules": {"paths": [os.path.join(ROOT, "rules", p) for p in ("failures", "scaling", "provisioning")],
                      "params": {rule: SPANS for rule in SHORT}},
            "sinks": {"ops": {"kind": "file", "settings": {"path": self.path("alerts")}}},
            "routes": {"ops": ["ops"]},
            "dead_letters": {"sink": "ops"},
        })

    def alerts(self):
        if not os.path.exists(self.path("alerts")):
            return []
        with open(self.path("alerts"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def fired(self):
        return [(a["incident"], a["level"]) for a in self.alerts() if a["status"] == "firing"]

    def test_a_bad_hour_leads_to_the_alerts_that_the_pages_promise(self):
        page = self.metrics_page()
        for series, (before, _) in SERIES.items():
            page.set(series, before)
        kafka, prometheus = self.kafka(), self.prometheus(page.address)
        for topic in TOPICS:
            kafka.topic(topic, 2)
        base = int(time.time() * 1000) - HOUR
        events = sorted(bad_hour(), key=lambda e: e[1])
        for topic in TOPICS:
            self.produce(kafka, topic, [dict(e, time=base + int(minute * MINUTE)) for t, minute, e in events if t == topic])
        wait_for("the series are there", lambda: len(prometheus.query("memory_percent")) == 2)
        engine = self.start(kafka, prometheus)

        wait_for("the bad hour was told", lambda: PROMISED <= set(self.fired()), 60)
        self.assertEqual(sorted(self.fired()), sorted(PROMISED))  # each once, and nothing else

        wait_for("there are samples of before", lambda: engine.metric(
            "tidewatch_rule_events_total", rule="scaling/latency_verdict") >= 2 * 14, 60)
        now = int(time.time() * 1000)
        for topic, event in now_happens():
            self.produce(kafka, topic, [dict(event, time=now)])
        for series, (_, after) in SERIES.items():
            page.set(series, after)
        wait_for("events and metrics were brought together", lambda: set(PROMISED_NOW) <= set(self.fired()), 60)
        self.assertEqual(sorted(self.fired()), sorted(PROMISED | set(PROMISED_NOW)))
        titles = {(a["incident"], a["level"]): a["title"] for a in self.alerts() if a["status"] == "firing"}
        for promised, title in PROMISED_NOW.items():
            self.assertEqual(titles[promised], title)
        self.assertEqual(engine.stop(), 0)

    def produce(self, kafka, topic, events):
        kafka.produce(topic, [(e.get("host") or e.get("service") or e.get("cluster")) + "\t" + json.dumps(e)
                              for e in events], key="\t")


if __name__ == "__main__":
    unittest.main()
