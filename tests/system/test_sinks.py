#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers that fail in every way: what is tried again, what is given up and where it goes, and
that one sink never holds another."""
import itertools
import json
import os
import subprocess
import time
import unittest
import unittest.mock

from harness import SystemTest, wait_for
from hosts import Hosts
from strict import HANG, RESET, StrictReceiver, reply

# The resolver of a machine whose name servers do not answer: ten seconds for this one name.
SLOW_NAMES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && strcmp(name, "slow.example") == 0) {
        sleep(10);
        return EAI_AGAIN;
    }
    return real(name, service, hints, out);
}
"""

GIVEN_UP = "tidewatch_outbox_given_up_total"
DELIVERIES = "tidewatch_deliveries_total"


def forever(first, part):
    yield first
    while True:
        yield part


class SinkTest(SystemTest):
    def setUp(self):
        self.hosts = Hosts(self)

    def strict(self, *answers, **options):
        """Gives these answers in turn, and then the last one for ever."""
        answers = answers or (reply(200),)
        turn = itertools.chain(answers[:-1], itertools.repeat(answers[-1]))
        receiver = StrictReceiver(lambda request: self.next_answer(turn), **options)
        self.addCleanup(receiver.close)
        self.addCleanup(lambda: self.assertEqual(receiver.faults, []))
        return receiver

    @staticmethod
    def next_answer(turn):
        answer = next(turn)
        return answer() if callable(answer) else answer

    def webhook(self, receiver, timeout="5s", **outbox):
        return {"kind": "webhook", "settings": {"url": receiver.url, "timeout": timeout},
                "backoff": "20ms", "backoff_max": "100ms", **outbox}

    def engine_with(self, sinks, **more):
        """Alerts go to all of these; dead letters to a file."""
        dead = {"kind": "file", "settings": {"path": self.path("dead.ndjson")}}
        more = {"dead_letters": {"sink": "dead"}, **more}
        return self.engine(self.hosts.config({**sinks, "dead": dead}, to=list(sinks), **more))

    def dead_letters(self):
        if not os.path.exists(self.path("dead.ndjson")):
            return []
        with open(self.path("dead.ndjson"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def await_metric(self, engine, value, name, **labels):
        wait_for(f"{name} {labels} is {value}", lambda: engine.metric(name, **labels) == value)


class Failing(SinkTest):
    """One alert, one failure; the healthy sink beside it gets the alert in any case."""

    def fail_once(self, answer, **options):
        """The first attempt fails, the second is taken. Returns both requests and the engine."""
        bad, good = self.strict(answer, reply(200)), self.strict()
        engine = self.engine_with({"bad": self.webhook(bad, **options),
                                   "good": self.webhook(good)})
        self.hosts.say("down", "h1")
        self.await_metric(engine, 1, DELIVERIES, sink="bad", answer="done")
        self.await_metric(engine, 1, DELIVERIES, sink="good", answer="done")
        self.assertEqual(engine.metric(DELIVERIES, sink="bad", answer="retry"), 1)
        self.assertEqual(engine.metric(DELIVERIES, sink="good", answer="retry"), 0)
        self.assertEqual(engine.metric(GIVEN_UP), 0)
        self.assertEqual(len(bad.requests), 2)
        first, second = bad.requests
        self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
        self.assertEqual(first.body, second.body)
        return first, second

    def test_a_500_is_tried_again(self):
        self.fail_once(reply(500, "oops"))

    def test_a_429_is_tried_again_when_it_says_so(self):
        first, second = self.fail_once(reply(429, "slow down", ["Retry-After: 2"]))
        self.assertGreaterEqual(second.at - first.at, 1.9)
        self.assertLess(second.at - first.at, 8)

    def test_a_receiver_that_hangs_is_tried_again(self):
        self.fail_once(HANG, timeout="300ms")

    def test_a_receiver_that_hangs_longer_than_the_outbox_waits_is_tried_again(self):
        bad = self.strict(HANG, reply(200))
        engine = self.engine_with({"bad": {**self.webhook(bad, timeout="1m"),
                                           "timeout": "300ms"}})
        self.hosts.say("down", "h1")
        self.await_metric(engine, 1, DELIVERIES, sink="bad", answer="done")
        self.assertEqual(len(bad.requests), 2)

    def test_an_answer_that_never_ends_its_head_is_tried_again(self):
        self.fail_once(lambda: forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
                       timeout="500ms")

    def test_an_answer_that_breaks_off_is_tried_again(self):
        self.fail_once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    def test_an_answer_that_breaks_off_in_its_head_is_tried_again(self):
        self.fail_once(b"HTTP/1.1 200 O")

    def test_a_connection_that_is_closed_without_an_answer_is_tried_again(self):
        self.fail_once(b"")

    def test_a_connection_that_is_reset_is_tried_again(self):
        self.fail_once(RESET)

    def test_an_answer_that_is_no_http_is_tried_again(self):
        self.fail_once(bytes(range(256)) * 50)


class Refusing(SinkTest):
    """What will never be taken goes to the dead letters at once."""

    def refuse(self, *answers, drop=1):
        bad, good = self.strict(*answers), self.strict()
        engine = self.engine_with({"bad": self.webhook(bad), "good": self.webhook(good)})
        self.hosts.say("down", "h1")
        wait_for("it is given up", lambda: engine.metric(GIVEN_UP, sink="bad") == 1)
        wait_for("it is a dead letter", lambda: len(self.dead_letters()) == 1)
        self.await_metric(engine, 1, DELIVERIES, sink="good", answer="done")
        self.assertEqual(engine.metric(DELIVERIES, sink="bad", answer="drop"), drop)
        self.assertEqual(len(bad.requests), 1)
        return engine, self.dead_letters()[0]

    def test_a_400_is_a_dead_letter_with_its_reason_and_the_alert(self):
        engine, letter = self.refuse(reply(400, "no such team"))
        self.assertEqual(letter["stage"], "sink")
        self.assertIn("400: no such team", letter["error"])
        self.assertEqual(json.loads(letter["data"])["incident"], "host:h1")
        self.assertEqual(engine.metric(GIVEN_UP, sink="bad", reason="drop"), 1)
        self.assertEqual(engine.metric("tidewatch_dead_letters_total"), 1)
        self.assertEqual(engine.metric("tidewatch_dead_letters_lost_total"), 0)

    def test_a_413_of_one_record_is_a_dead_letter(self):
        self.refuse(reply(413))

    def test_a_redirect_is_not_followed_but_a_dead_letter(self):
        elsewhere = self.strict()
        self.refuse(reply(302, "", [f"Location: {elsewhere.url}"]))
        self.assertEqual(elsewhere.requests, [])

    def test_a_410_switches_the_sink_off(self):
        engine, _ = self.refuse(reply(410), drop=0)
        self.hosts.say("down", "h2", "h3")
        self.await_metric(engine, 3, GIVEN_UP, sink="bad", reason="disabled")
        self.await_metric(engine, 3, DELIVERIES, sink="good", answer="done")
        wait_for("all are dead letters", lambda: len(self.dead_letters()) == 3)
        sinks = {s["name"]: s for s in json.loads(engine.get("/api/v1/status")[1])["sinks"]}
        self.assertTrue(sinks["bad"]["disabled"])
        self.assertFalse(sinks["good"]["disabled"])

    def test_what_stays_too_long_is_a_dead_letter(self):
        bad = self.strict(reply(503))
        engine = self.engine_with({"bad": self.webhook(bad, max_age="500ms")})
        self.hosts.say("down", "h1")
        self.await_metric(engine, 1, GIVEN_UP, sink="bad", reason="age")
        wait_for("it is a dead letter", self.dead_letters)
        self.assertIn("too old", self.dead_letters()[0]["error"])

    def test_a_dead_letter_sink_that_fails_too_loses_what_it_says(self):
        bad, dead = self.strict(reply(400)), self.strict(reply(400))
        engine = self.engine(self.hosts.config(
            {"bad": self.webhook(bad), "dead": self.webhook(dead)}, to=["bad"],
            dead_letters={"sink": "dead"}))
        self.hosts.say("down", "h1")
        self.await_metric(engine, 1, "tidewatch_dead_letters_lost_total")
        self.assertEqual(engine.metric(GIVEN_UP), 2)
        with open(engine.log(), encoding="utf-8") as log:
            self.assertIn("level=error component=outbox", log.read())

    def test_a_batch_that_is_too_large_is_halved_until_it_fits(self):
        answers = iter([reply(500)])
        receiver = StrictReceiver(lambda r: next(answers, None) or reply(
            413 if len(r.json()) > 3 else 200), needs=())
        self.addCleanup(receiver.close)
        settings = {"urls": [receiver.url], "resend": "1h"}
        sink = {"kind": "alertmanager", "settings": settings,
                "backoff": "200ms", "backoff_max": "200ms"}
        engine = self.engine_with({"team": sink})
        names = {f"h{i}" for i in range(20)}

        self.hosts.say("down", *names)

        wait_for("all are taken", lambda: names == {
            a["labels"]["host"] for r in receiver.requests if len(r.json()) <= 3
            for a in r.json()})
        self.assertGreater(engine.metric(DELIVERIES, sink="team", answer="split"), 0)
        self.assertEqual(engine.metric(GIVEN_UP), 0)
        self.assertEqual(receiver.faults, [])


class Holding(SinkTest):
    def test_a_sink_that_hangs_never_holds_the_healthy_one(self):
        bad, good = self.strict(HANG), self.strict()
        engine = self.engine_with({"bad": self.webhook(bad, timeout="10m"),
                                   "good": self.webhook(good)})
        names = [f"h{i}" for i in range(300)]
        for name in names:
            self.hosts.say("down", name)

        self.await_metric(engine, 300, DELIVERIES, sink="good", answer="done")

        self.assertEqual(engine.metric("tidewatch_outbox_inflight", sink="bad"), 8)
        self.assertEqual(engine.metric("tidewatch_outbox_queued", sink="bad"), 292)
        self.assertEqual(engine.metric(DELIVERIES, sink="bad"), 0)
        self.assertEqual(engine.get("/-/ready")[0], 200)
        self.assertEqual({r.json()["alerts"][0]["labels"]["host"] for r in good.requests},
                         set(names))
        wait_for("eight are asked", lambda: len(bad.requests) == 8)
        self.assertLess(good.connections, 50)  # connections are used again

    def test_a_name_that_does_not_resolve_holds_nobody(self):
        source = self.write("slow_names.c", SLOW_NAMES)
        library = self.path("slow_names.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        bad = {"kind": "webhook", "backoff": "20ms", "backoff_max": "100ms",
               "settings": {"url": "http://slow.example/", "timeout": "200ms"}}
        engine = self.engine(self.hosts.config({"bad": bad}), start=False)
        with unittest.mock.patch.dict(os.environ, LD_PRELOAD=library,
                                      ASAN_OPTIONS="verify_asan_link_order=0"):
            engine.start()
        self.hosts.say("down", "h1")
        longest = 0

        def failures():
            nonlocal longest
            began = time.monotonic()
            count = engine.metric(DELIVERIES, sink="bad", answer="retry")
            longest = max(longest, time.monotonic() - began)
            return count

        wait_for("it timed out again and again", lambda: failures() >= 5)
        self.assertLess(longest, 3)  # asked for by what waits for no name

    def test_a_queue_that_stays_full_gives_up_its_oldest(self):
        bad, good = self.strict(HANG), self.strict()
        engine = self.engine_with({"bad": self.webhook(bad, timeout="10m", queue=20, pause="1s"),
                                   "good": self.webhook(good)})
        self.hosts.say("down", *[f"h{i}" for i in range(100)])

        self.await_metric(engine, 100, DELIVERIES, sink="good", answer="done")

        self.await_metric(engine, 80, GIVEN_UP, sink="bad", reason="overflow")
        wait_for("80 dead letters", lambda: len(self.dead_letters()) == 80)

    def test_alerts_of_one_incident_arrive_in_order_whatever_fails(self):
        answers = [reply(500), reply(200), b"", reply(429, "", ["Retry-After: 1"]), reply(200),
                   b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", reply(200)]
        bad = self.strict(*answers)
        engine = self.engine_with({"bad": self.webhook(bad)})
        for kind in ["down", "up"] * 5:
            self.hosts.say(kind, "h1", "h2")

        self.await_metric(engine, 20, DELIVERIES, sink="bad", answer="done")

        for incident in ["host:h1", "host:h2"]:
            seen = [r.json()["status"] for r in bad.requests
                    if r.json()["groupLabels"]["incident"] == incident]
            told = [status for status, _ in itertools.groupby(seen)]
            self.assertEqual(told, ["firing", "resolved"] * 5)

    def test_the_metrics_of_failing_sinks_are_what_promtool_accepts(self):
        bad, good = self.strict(reply(500), reply(400), HANG), self.strict()
        engine = self.engine_with({"bad": self.webhook(bad, timeout="200ms"),
                                   "good": self.webhook(good)})
        self.hosts.say("down", "h1", "h2", "h3")
        self.await_metric(engine, 3, DELIVERIES, sink="good", answer="done")
        wait_for("failures are seen", lambda: engine.metric(DELIVERIES, sink="bad") > 3)

        page = engine.get("/metrics")[1]

        result = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                                capture_output=True, timeout=30)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
