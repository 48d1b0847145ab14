#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More alerts at once than a sink's queue takes: while the sink is alive none is lost, and whatever the sink is, others
are not delayed for longer than its `pause` and the engine can be reloaded and stopped."""
import json
import threading
import time
import unittest

from harness import SystemTest, wait_for
from strict import StrictReceiver, reply

RULES = """
rule "ops/host_down" {
  key = { "host" },
  inputs = { ev = from "hosts" { kind = oneof("down", "up") } },
  detect = handler { on_event = function(e, ctx)
    if e.kind == "down" then ctx.fire { severity = "crit" } else ctx.resolve() end
  end },
  alert = incident { id = "host:${host}", title = "TITLE", route = "ops" },
}
rule "ops/page" {
  key = { "host" },
  inputs = { ev = from "hosts" { kind = "page" } },
  detect = handler { on_event = function(e, ctx) ctx.fire { severity = "crit" } end },
  alert = incident { id = "page:${host}", route = "pager" },
}
rule "ops/silent" {
  key = { "host" },
  inputs = { beat = from "hosts" { kind = "beat" } },
  detect = missing { "beat", every = "2s", grace = "1s", expect = { learn = "1h" } },
  alert = incident { id = "silent:${host}", route = "ops" },
}
"""
BURST = 20000
GIVEN_UP = "tidewatch_outbox_given_up_total"
HOLDS = "tidewatch_sink_holds_sources"


class Bursts(SystemTest):
    def setUp(self):
        self.file = self.write("hosts.ndjson", "")
        self.rules = self.write("rules/hosts.lua", RULES)

    def receiver(self, answer):
        receiver = StrictReceiver(answer)
        self.addCleanup(receiver.close)
        return receiver

    def say(self, kind, hosts):
        now = int(time.time() * 1000)
        with open(self.file, "a", encoding="utf-8") as f:
            f.write("".join(json.dumps({"time": now, "kind": kind, "host": host}) + "\n" for host in hosts))

    def engine_of(self, crowd, pager=None, drain="1m", **more):
        def webhook(receiver, **options):
            return {"kind": "webhook", "backoff": "20ms", "backoff_max": "100ms",
                    "settings": {"url": receiver.url, "timeout": "30s", "format": "json"}, **options}
        pager = pager or self.receiver(lambda request: reply(200))
        return self.engine({
            "lanes": 2, "log": {"level": "info"}, "shutdown": {"drain": drain},
            "sources": {"file": {"kind": "file", "settings": {"path": self.file, "follow": True}}},
            "streams": {"hosts": {"source": "file", "time": "time"}},
            "rules": {"paths": [self.rules]},
            "sinks": {"crowd": webhook(crowd, **more), "pager": webhook(pager),
                      "dead": {"kind": "file", "queue": 50, "settings": {"path": self.path("dead.ndjson")}}},
            "dead_letters": {"sink": "dead"},
            "routes": {"ops": ["crowd"], "pager": ["pager"]}})

    def told(self, receiver):
        """What was told of each incident, in the order it came; an attempt that was repeated counts once."""
        by_incident, seen = {}, set()
        for request in list(receiver.requests):
            alert = request.json()
            if request.headers["webhook-id"] not in seen:
                seen.add(request.headers["webhook-id"])
                by_incident.setdefault(alert["incident"], []).append(alert["status"])
        return by_incident

    def dead_letters(self):
        try:
            with open(self.path("dead.ndjson"), encoding="utf-8") as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []

    def sink(self, engine, name):
        status = json.loads(engine.get("/api/v1/status")[1])
        return next(s for s in status["sinks"] if s["name"] == name)

    def test_a_burst_beyond_the_queue_reaches_a_slow_sink_whole_and_in_order(self):
        numbers, lock = iter(range(1, 10 * BURST)), threading.Lock()

        def answer(_):
            with lock:
                number = next(numbers)
            time.sleep(0.5 if number % 100 == 0 else 0.001)  # the receiver's own pace
            return reply(200)

        crowd = self.receiver(answer)
        engine = self.engine_of(crowd)
        hosts = [f"h{n}" for n in range(BURST)]
        self.say("down", hosts)
        self.say("up", hosts[::10])

        wait_for("sources wait", lambda: engine.metric(HOLDS, sink="crowd") == 1, seconds=60)
        wait_for("all is told", lambda: engine.metric("tidewatch_deliveries_total", sink="crowd", answer="done")
                 == BURST + BURST / 10, seconds=300)
        self.assertEqual(self.told(crowd), {
            f"host:h{n}": ["firing", "resolved"] if n % 10 == 0 else ["firing"] for n in range(BURST)})
        self.assertEqual(engine.metric(GIVEN_UP), 0)
        self.assertEqual(engine.metric(HOLDS), 0)
        self.assertEqual(self.dead_letters(), [])

    def test_alerts_that_come_due_all_at_once_are_not_lost_either(self):
        crowd = self.receiver(lambda request: (time.sleep(0.001), reply(200))[1])
        engine = self.engine_of(crowd, queue=200)
        hosts = [f"h{n}" for n in range(4000)]
        self.say("beat", hosts)

        wait_for("sources wait", lambda: engine.metric(HOLDS, sink="crowd") == 1, seconds=60)
        wait_for("all is told", lambda: len(self.told(crowd)) == len(hosts), seconds=120)
        self.assertEqual(engine.metric(GIVEN_UP), 0)
        wait_for("sources go on", lambda: engine.metric(HOLDS) == 0)

    def test_a_slow_sink_delays_another_for_no_longer_than_its_pause(self):
        go = threading.Event()
        crowd = self.receiver(lambda request: (go.wait(0.2), reply(200))[1])
        pager = self.receiver(lambda request: reply(200))
        engine = self.engine_of(crowd, pager, queue=600, pause="3s")
        self.say("down", [f"h{n}" for n in range(2000)])
        wait_for("sources wait", lambda: engine.metric(HOLDS, sink="crowd") == 1)
        self.say("page", ["me"])
        began = time.monotonic()
        self.assertIn("sources wait for it", engine.command("status", "--server", engine.address).stdout)

        wait_for("the page arrives", lambda: pager.requests)
        self.assertGreater(time.monotonic() - began, 1)
        self.assertLess(time.monotonic() - began, 3 + 5)
        self.assertIn("longer than its 'pause'", engine.logged())
        self.assertTrue(self.sink(engine, "crowd")["gives_way"])
        go.set()
        wait_for("nothing is lost for that", lambda: len(self.told(crowd)) == 2000, seconds=120)
        self.assertEqual(engine.metric(GIVEN_UP), 0)

    def test_of_a_dead_sink_the_newest_states_are_kept_and_it_is_said_once(self):
        crowd = self.receiver(lambda request: reply(503))
        pager = self.receiver(lambda request: reply(200))
        engine = self.engine_of(crowd, pager, queue=100, pause="2s")
        hosts = [f"h{n}" for n in range(80)]
        self.say("down", hosts)
        self.say("up", hosts)
        self.say("page", ["me"])

        wait_for("the page arrives", lambda: pager.requests)
        wait_for("what is too many is given up", lambda: engine.metric(GIVEN_UP, sink="crowd") >= 60)
        self.assertGreaterEqual(engine.metric(GIVEN_UP, sink="crowd", reason="superseded"), 50)
        waiting = self.sink(engine, "crowd")
        self.assertGreaterEqual(waiting["queued"] + waiting["in_flight"], 80)  # what is of each host now

        self.say("down", [f"later{n}" for n in range(300)])
        self.say("page", ["you"])
        wait_for("the second page arrives", lambda: len(self.told(pager)) == 2, seconds=10)
        wait_for("the engine goes on", lambda: engine.metric(GIVEN_UP, sink="crowd") == 360)
        wait_for("dead letters are kept", lambda: len(self.dead_letters()) == 360)
        self.assertEqual(engine.metric("tidewatch_dead_letters_lost_total"), 0)
        self.assertEqual(sum(self.sink(engine, "crowd")["given_up"].values()), 360)
        self.assertIn("360", engine.command("status", "--server", engine.address).stdout)
        self.assertEqual(engine.logged().count("sources go on"), 1)

    def test_a_sink_that_comes_back_with_room_in_its_queue_is_waited_for_as_any_other(self):
        dead = threading.Event()
        dead.set()
        crowd = self.receiver(lambda request: reply(503 if dead.is_set() else 200))
        engine = self.engine_of(crowd, queue=50, pause="1s")
        for _ in range(40):
            self.say("down", ["h1"])
            self.say("up", ["h1"])
        wait_for("it gives way", lambda: self.sink(engine, "crowd")["gives_way"])
        self.assertLess(self.sink(engine, "crowd")["queued"], 5)  # newer states stood for the others
        dead.clear()
        wait_for("it does so no longer", lambda: not self.sink(engine, "crowd")["gives_way"])
        self.assertNotIn("trouble", self.sink(engine, "crowd"))
        self.assertEqual(engine.logged().count("has room again"), 1)

    def test_a_reload_while_sources_wait_loses_and_repeats_nothing(self):
        go = threading.Event()
        crowd = self.receiver(lambda request: (go.wait(0.1), reply(200))[1])
        engine = self.engine_of(crowd, queue=200, pause="1m")
        hosts = [f"h{n}" for n in range(1500)]
        self.say("down", hosts)
        wait_for("sources wait", lambda: engine.metric(HOLDS, sink="crowd") == 1)
        self.write("rules/hosts.lua", RULES.replace("TITLE", "another title"))
        status, report = engine.reload()
        self.assertEqual((status, report["ok"]), (200, True))
        self.assertEqual(engine.metric(HOLDS, sink="crowd"), 1)
        self.say("up", hosts)
        go.set()

        wait_for("all is told", lambda: engine.metric("tidewatch_deliveries_total", sink="crowd", answer="done")
                 == 2 * len(hosts), seconds=120)
        self.assertEqual(self.told(crowd), {f"host:{host}": ["firing", "resolved"] for host in hosts})
        self.assertEqual(engine.metric(GIVEN_UP), 0)

    def test_a_stop_amid_a_burst_tells_what_waits(self):
        crowd = self.receiver(lambda request: (time.sleep(0.02), reply(200))[1])
        engine = self.engine_of(crowd, queue=300, pause="1s", drain="1m")
        self.say("down", [f"h{n}" for n in range(3000)])
        wait_for("sources wait", lambda: engine.metric(HOLDS, sink="crowd") == 1)
        wait_for("some are told", lambda: len(crowd.requests) > 50)

        self.assertEqual(engine.stop(seconds=60), 0)
        self.assertNotIn("given up", engine.logged())
        self.assertEqual(self.dead_letters(), [])
        self.assertGreaterEqual(len(self.told(crowd)), 300)
        self.assertEqual({tuple(states) for states in self.told(crowd).values()}, {("firing",)})

    def test_a_stop_amid_a_burst_gives_up_what_its_time_does_not_suffice_for_and_says_so(self):
        go = threading.Event()
        self.addCleanup(go.set)
        crowd = self.receiver(lambda request: (go.wait(0.5), reply(200))[1])
        engine = self.engine_of(crowd, queue=300, pause="1m", drain="1s")
        hosts = [f"h{n}" for n in range(3000)]
        self.say("down", hosts)
        wait_for("all are read", lambda: engine.metric("tidewatch_events_total") == len(hosts) or
                 engine.metric(HOLDS, sink="crowd") == 1)
        waiting = wait_for("sources wait", lambda: self.sink(engine, "crowd")["queued"])
        self.assertGreaterEqual(waiting, 290)

        self.assertEqual(engine.stop(seconds=60), 0)
        told, dead = set(self.told(crowd)), {letter["key"] for letter in self.dead_letters()}
        self.assertGreaterEqual(len(told | dead), waiting)
        self.assertLessEqual(len(told & dead), 8)  # under way when the time was over
        self.assertIn("records are undelivered when their time is over", engine.logged())
        self.assertIn("dead_letters_lost=0", engine.logged())


if __name__ == "__main__":
    unittest.main()
