#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From an event through a rule to what amtool lists, against a real Alertmanager."""
import unittest

from harness import SystemTest, free_port, wait_for
from hosts import Hosts


class AlertmanagerSink(SystemTest):
    def setUp(self):
        self.hosts = Hosts(self)

    def engine_for(self, *urls, **settings):
        settings = {"urls": list(urls), "timeout": "2s", **settings}
        sink = {"kind": "alertmanager", "settings": settings,
                "backoff": "50ms", "backoff_max": "200ms"}
        return self.engine(self.hosts.config({"team": sink}))

    def await_listed(self, alertmanager, **expected):
        """Until exactly these incidents are listed; returns the list, by incident."""
        def listed():
            alerts = {a["labels"]["incident"]: a for a in alertmanager.alerts()}
            levels = {i: a["labels"]["severity"] for i, a in alerts.items()}
            return (True, alerts) if levels == expected["levels"] else None
        return wait_for(f"amtool lists {expected['levels']}", listed)[1]

    def test_what_fires_is_listed_until_it_ends(self):
        receiver = self.receiver()
        alertmanager = self.alertmanager(receiver.url)
        self.engine_for(alertmanager.url(""), labels={"site": "fra"},
                        external_url="https://tidewatch.example")

        self.hosts.say("down", "h1", "h2")
        listed = self.await_listed(alertmanager, levels={"host:h1": "crit", "host:h2": "crit"})
        self.hosts.say("up", "h1")
        self.await_listed(alertmanager, levels={"host:h2": "crit"})

        h1 = listed["host:h1"]
        self.assertEqual(h1["labels"], {
            "alertname": "ops/host_down", "host": "h1", "incident": "host:h1",
            "service": "cart", "severity": "crit", "site": "fra"})
        self.assertEqual(h1["annotations"]["title"], "the host is down")
        self.assertEqual(h1["generatorURL"], "https://tidewatch.example/incidents/host%3Ah1")
        told = wait_for("the end was passed on", lambda: [
            (a["status"], a["labels"]["host"]) for group in receiver.json()
            for a in group["alerts"] if a["status"] == "resolved"])
        self.assertEqual(told, [("resolved", "h1")])

    def test_what_fires_is_kept_alive_by_resends_and_ends_with_the_engine(self):
        alertmanager = self.alertmanager()
        engine = self.engine_for(alertmanager.url(""), resend="500ms")
        self.hosts.say("down", "h1")
        first = self.await_listed(alertmanager, levels={"host:h1": "crit"})["host:h1"]

        resent = "tidewatch_alertmanager_alerts_resent_total"
        wait_for("twice its lifetime is over", lambda: engine.metric(resent) >= 8)

        listed = self.await_listed(alertmanager, levels={"host:h1": "crit"})["host:h1"]
        self.assertEqual(listed["startsAt"], first["startsAt"])
        self.assertGreater(listed["endsAt"], first["endsAt"])
        self.assertEqual(engine.metric("tidewatch_alertmanager_alerts_firing"), 1)
        engine.kill()
        self.await_listed(alertmanager, levels={})

    def test_a_level_that_rises_takes_the_place_of_the_one_before(self):
        alertmanager = self.alertmanager()
        self.engine_for(alertmanager.url(""))

        self.hosts.say("slow", "h1")
        self.await_listed(alertmanager, levels={"host:h1": "warn"})
        self.hosts.say("down", "h1")
        self.await_listed(alertmanager, levels={"host:h1": "crit"})
        self.assertEqual(len(alertmanager.alerts()), 1)
        self.hosts.say("up", "h1")
        self.await_listed(alertmanager, levels={})

    def test_an_alertmanager_that_was_away_is_told_of_what_fires(self):
        alertmanager = self.alertmanager()
        engine = self.engine_for(alertmanager.url(""), resend="1s")
        self.hosts.say("down", "h1")
        self.await_listed(alertmanager, levels={"host:h1": "crit"})

        alertmanager.kill()
        self.hosts.say("down", "h2")
        self.hosts.say("up", "h1")
        wait_for("it is missed", lambda: engine.metric(
            "tidewatch_alertmanager_requests_failed_total") >= 3)
        self.assertEqual(engine.get("/-/ready")[0], 200)
        alertmanager.start()

        self.await_listed(alertmanager, levels={"host:h2": "crit"})
        wait_for("nothing waits", lambda: engine.metric("tidewatch_outbox_queued") == 0)
        self.assertEqual(engine.metric("tidewatch_outbox_given_up_total"), 0)

    def test_after_a_restart_the_same_alert_is_kept_alive(self):
        alertmanager = self.alertmanager()
        engine = self.engine_for(alertmanager.url(""), resend="500ms")
        self.hosts.say("down", "h1")
        first = self.await_listed(alertmanager, levels={"host:h1": "crit"})["host:h1"]

        self.assertEqual(engine.stop(), 0)
        engine.start()

        resent = "tidewatch_alertmanager_alerts_resent_total"
        wait_for("it is sent again", lambda: engine.metric(resent) >= 6)
        again = self.await_listed(alertmanager, levels={"host:h1": "crit"})["host:h1"]
        self.assertEqual(again["fingerprint"], first["fingerprint"])

    def test_one_member_of_two_is_enough(self):
        alertmanager = self.alertmanager()
        away = f"http://127.0.0.1:{free_port()}"
        engine = self.engine_for(away, alertmanager.url("/"))

        self.hosts.say("down", "h1")

        self.await_listed(alertmanager, levels={"host:h1": "crit"})
        wait_for("it is delivered", lambda: engine.metric(
            "tidewatch_deliveries_total", answer="done") == 1)
        self.assertEqual(engine.metric("tidewatch_deliveries_total", answer="retry"), 0)

    def test_labels_of_every_kind_are_taken(self):
        alertmanager = self.alertmanager()
        engine = self.engine_for(alertmanager.url(""))
        names = ["", "a b", 'say "no"', "back\\slash", "zwei\nZeilen", "Grüße 🌊", "{x=1}",
                 "x" * 1000]

        for name in names:
            self.hosts.say("down", "h1" + name, service=name)

        wait_for("all are delivered", lambda: engine.metric(
            "tidewatch_alertmanager_alerts_firing") == len(names))
        wait_for("all are listed", lambda: {
            a["labels"]["host"] for a in alertmanager.alerts()} == {"h1" + n for n in names})
        self.assertEqual(engine.metric("tidewatch_deliveries_total", answer="drop"), 0)


if __name__ == "__main__":
    unittest.main()
