#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ground under the other system tests: the servers start, work, survive a crash and end."""
import json
import os
import subprocess
import unittest

from harness import SERVER, HttpDouble, SystemTest, fetch, wait_for


def is_running(server):
    return subprocess.run([SERVER, server.kind, "status", server.folder],
                          capture_output=True).returncode == 0


class Servers(SystemTest):
    def test_kafka_keeps_its_messages_and_its_port_through_kill_9(self):
        kafka = self.kafka()
        kafka.topic("orders", 3)
        kafka.produce("orders", [f"k{i}\t{i}" for i in range(1000)], key="\t")
        address = kafka.address

        kafka.kill()
        self.assertFalse(is_running(kafka))
        kafka.start()

        self.assertEqual(kafka.address, address)
        kafka.produce("orders", ["k\tafter"], key="\t")
        messages = kafka.consume("orders")
        self.assertEqual(sorted(m["payload"] for m in messages),
                         sorted([str(i) for i in range(1000)] + ["after"]))
        self.assertEqual({m["partition"] for m in messages}, {0, 1, 2})

    def test_a_producer_at_a_rate_outlives_the_broker_being_killed(self):
        kafka = self.kafka()
        kafka.topic("stream", 4)
        pour = kafka.pour("stream", [f"{i}" for i in range(10000)], per_second=2000)
        wait_for("some are there", lambda: len(kafka.consume("stream")) > 100)

        kafka.kill()
        kafka.start()
        pour.done()

        payloads = [int(m["payload"]) for m in kafka.consume("stream")]
        self.assertEqual(sorted(payloads), list(range(10000)))

    def test_prometheus_scrapes_the_target_it_was_given(self):
        page = self.metrics_page()
        page.set('queue_depth{queue="mail"}', 42)
        prometheus = self.prometheus(page.address)

        result = wait_for("the series is there", lambda: prometheus.query("queue_depth"))

        self.assertEqual(result[0]["metric"]["queue"], "mail")
        self.assertEqual(result[0]["value"][1], "42")

    def test_alertmanager_lists_an_alert_and_sends_it_to_its_webhook(self):
        receiver = self.receiver()
        alertmanager = self.alertmanager(receiver.url)
        alert = [{"labels": {"alertname": "Slow", "service": "cart"}}]

        status, _ = fetch(alertmanager.url("/api/v2/alerts"), "POST", json.dumps(alert),
                          {"content-type": "application/json"})

        self.assertEqual(status, 200)
        sent = wait_for("the webhook was called", receiver.json)
        self.assertEqual(sent[0]["alerts"][0]["labels"]["service"], "cart")
        self.assertEqual([a["labels"]["alertname"] for a in alertmanager.alerts()], ["Slow"])

    def test_a_server_that_was_stopped_is_gone_and_its_port_is_free(self):
        alertmanager = self.alertmanager()
        alertmanager.stop()

        self.assertFalse(is_running(alertmanager))
        HttpDouble(port=int(alertmanager.address.rpartition(":")[2])).close()

    def test_a_server_with_a_broken_configuration_is_refused(self):
        broken = self.write("broken.yml", "route: [\n")
        result = subprocess.run([SERVER, "alertmanager", "start", self.path("am"), broken],
                                capture_output=True, text=True)

        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "")
        self.assertIn("refuses its configuration", result.stderr)
        self.assertFalse(os.path.exists(self.path("am", "pid")))


if __name__ == "__main__":
    unittest.main()
