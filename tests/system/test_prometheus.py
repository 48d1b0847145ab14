#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a page of metrics and from a PromQL query through a rule to a webhook, against a real
Prometheus, whose own page is the one that is scraped."""
import unittest

from harness import SystemTest, fetch, wait_for

BAD_CONFIG = """
rule "ops/bad_config" {
  key = { "instance" },
  inputs = { reload = from "metrics" { name = "prometheus_config_last_reload_successful" } },
  detect = level { of = last("reload", "value"), warn = { below = 1 } },
  alert = incident { id = "config:${instance}", route = "team", title = "reload: ${value}" },
}"""
BLIND = """
rule "ops/blind" {
  key = { "job", "instance" },
  inputs = { up = from "metrics" { name = "up" } },
  detect = level { of = last("up", "value"), crit = { below = 1 } },
  alert = incident { id = "blind:${instance}", route = "team", title = "${job}: ${error}" },
}"""
DEEP_QUEUE = """
rule "ops/deep_queue" {
  key = { "queue" },
  inputs = { depth = from "metrics" { name = "depth", site = "fra" } },
  detect = level { of = last("depth", "value"), crit = { above = 100 } },
  alert = incident { id = "queue:${queue}", route = "team", title = "${queue}: ${value}" },
}"""
BAD_QUERY = """
rule "ops/bad_query" {
  key = { "query" },
  inputs = { up = from "metrics" { name = "up", query = exists() } },
  detect = level { of = last("up", "value"), warn = { below = 1 } },
  alert = incident { id = "query:${query}", route = "team", title = "${error}" },
}"""


class PrometheusPoller(SystemTest):
    def setUp(self):
        self.page = self.metrics_page()
        self.page.set('queue_depth{queue="mail"}', 3)
        self.page.set('queue_depth{queue="print"}', 4)
        self.server = self.prometheus(self.page.address)
        self.team = self.receiver()

    def start(self, rule, **settings):
        self.write("rules/rule.lua", rule)
        return self.engine({
            "lanes": 2,
            "sources": {"node": {"kind": "prometheus",
                                 "settings": {"interval": "300ms", **settings}}},
            "streams": {"metrics": {"source": "node"}},
            "rules": {"paths": [self.path("rules")]},
            "sinks": {"team": {"kind": "webhook", "settings": {"url": self.team.url}}},
            "routes": {"default": ["team"]},
        })

    def told(self):
        """(incident, status, title) of what the receiver was sent, in order."""
        return [(a["labels"]["incident"], a["status"], a["annotations"]["title"])
                for body in self.team.json() for a in body["alerts"]]

    def first_told(self):
        return wait_for("the receiver was told", self.told)[0]

    def await_last(self, incident, status):
        wait_for(f"{incident} is {status}", lambda: self.told()[-1][:2] == (incident, status))

    def reload_server(self, text):
        with open(f"{self.server.folder}/prometheus.yml", "w", encoding="utf-8") as f:
            f.write(text)
        return fetch(self.server.url("/-/reload"), "POST", b"")[0]

    def test_a_metric_on_a_scraped_page_fires_and_resolves(self):
        engine = self.start(BAD_CONFIG, targets=[self.server.address])
        wait_for("some polls went well",
                 lambda: engine.metric("tidewatch_prometheus_polls_total") >= 3)
        self.assertEqual(engine.metric("tidewatch_prometheus_polls_failed_total"), 0)
        self.assertGreater(engine.metric("tidewatch_prometheus_samples_total"), 300)
        incident = f"config:{self.server.address}"

        self.assertEqual(self.reload_server("scrape_configs: what\n"), 500)
        self.assertEqual(self.first_told(), (incident, "firing", "reload: 0"))
        self.assertEqual(self.reload_server("global: {}\n"), 200)

        self.await_last(incident, "resolved")
        self.assertEqual(len(self.told()), 2)
        self.assertEqual(engine.stop(), 0)

    def test_a_target_that_goes_away_is_told_and_resolves_when_it_is_back(self):
        engine = self.start(BLIND, targets=[self.server.address])
        wait_for("it is up", lambda: engine.metric("tidewatch_prometheus_targets_up") == 1)
        incident = f"blind:{self.server.address}"

        self.server.kill()
        told = self.first_told()
        self.assertEqual(told[:2], (incident, "firing"))
        self.assertRegex(told[2], "^node: (Failed to connect|Couldn't connect|Connection reset|Recv"
                                  "|Empty reply)")
        self.assertEqual(engine.metric("tidewatch_prometheus_targets_up"), 0)
        self.server.start()

        self.await_last(incident, "resolved")

    def test_the_answer_of_a_query_fires_and_resolves_by_its_labels(self):
        wait_for("the series are there", lambda: len(self.server.query("queue_depth")) == 2)
        self.start(DEEP_QUEUE, server=self.server.url(""), labels={"site": "fra"},
                   queries={"depth": "max by (queue) (queue_depth) * 2"})

        self.page.set('queue_depth{queue="mail"}', 70)
        self.assertEqual(self.first_told(), ("queue:mail", "firing", "mail: 140"))
        self.page.set('queue_depth{queue="mail"}', 1)

        self.await_last("queue:mail", "resolved")
        self.assertEqual(len(self.told()), 2)

    def test_a_query_the_server_refuses_is_told_in_its_words(self):
        engine = self.start(BAD_QUERY, server=self.server.address,
                            queries={"broken": "sum(", "fine": "1 + 1"})

        incident, status, title = self.first_told()

        self.assertEqual((incident, status), ("query:broken", "firing"))
        self.assertIn("400: ", title)
        self.assertIn("parse error", title)
        wait_for("the other went well",
                 lambda: engine.metric("tidewatch_prometheus_targets_up") == 1)


if __name__ == "__main__":
    unittest.main()
