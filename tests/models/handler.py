# SPDX-License-Identifier: Apache-2.0
"""A handler that does what its events say: state that counts and expires, timers, fire and resolve. See judge.py.

Its functions are written once more in Python. feeds/handler_feed.py makes the rules and the events.
"""
from feeds.handler_feed import RULES, TIME, VARIANTS, events  # noqa: F401

FORGET, HOUR, SEVERITY = 11_111, 3_600_000, ["info", "warn", "crit"]
EVERY = {"a": 3137, "b": 7301, "c": 2000}  # c may be due when an event comes, a and b never are together


class Key:
    def __init__(self, v):
        self.v, self.state, self.timers, self.out = v, {}, {}, []
        self.newest, self.open_until, self.in_timer = 0, 0, False

    def get(self, name, now):
        """At the end of its time an event still finds a value, a timer does not."""
        value, until = self.state.get(name, (None, None))
        return value if until is None or now < until + (not self.in_timer) else None

    def incr(self, name, now, by=1):
        until = self.state[name][1] if self.get(name, now) is not None else None
        self.state[name] = ((self.get(name, now) or 0) + by, until)
        return self.state[name][0]

    def fire(self, now):
        self.open_until = now + HOUR
        self.out.append({"at": now, "kind": "occurrence", "level": SEVERITY[(self.get("n", now) or 0) % 3]})

    def resolve(self, now):
        self.out.append({"at": now, "kind": "resolve"})
        self.open_until = 0

    def event(self, e, now):
        f, self.newest, self.in_timer = e.fields, now, False
        if f["to"] == "other":
            self.state["seen"] = (now, None)
        elif f["op"] == "count":
            if self.incr("n", now, f["x"]) >= self.v["many"]:
                self.fire(now)
        elif f["op"] == "expire" and self.get("n", now) is not None:
            self.state["n"] = (self.get("n", now), now + 4000)
        elif f["op"] == "clear":
            self.state.pop("n", None)
        elif f["op"] == "timer":
            self.timers[f["t"]] = now + EVERY[f["t"]]
        elif f["op"] == "cancel":
            self.timers.pop(f["t"], None)
        elif f["op"] == "fail":
            self.incr("n", now)
        elif f["op"] == "fire" or f["op"] == "seen" and now - (self.get("seen", now) or -10**9) <= 5000:
            self.fire(now)
        elif f["op"] == "resolve":
            self.resolve(now)

    def timer(self, name, now):
        self.in_timer = True
        if name == "b":
            if self.incr("rounds", now) < self.v["rounds"]:
                self.timers["b"] = now + EVERY["b"]
            else:
                del self.state["rounds"]
            self.fire(now)
        elif (self.get("n", now) or 0) > 1:
            self.incr("n", now, -2)
            self.fire(now)
        elif name == "a":
            self.resolve(now)

    def walk(self, until):
        while self.timers and min(self.timers.values()) < until:
            name = min(self.timers, key=self.timers.get)
            self.timer(name, self.timers.pop(name))
        if not self.timers and max(self.newest + FORGET, self.open_until) < until:
            self.state = {}


def judge(v, events, end):
    key = Key(v)
    for event in events:
        key.walk(event.time)
        key.event(event, event.time)
    key.walk(end + 1)
    return key.out
