# SPDX-License-Identifier: Apache-2.0
"""The level detector with a sliding count: at_least, hold, clear, and late events. See judge.py.

The model knows the whole list of samples and asks at each instant at which anything can happen (an
event, a departure, the end of a hold) how many lie in (t - over, t].
"""
TIME = "ts"
OVER, FORGET = 10_000, 3_700_000


def RULES(rng):
    at_least = rng.randint(2, 5)
    v = {"at_least": at_least, "hold": rng.choice([0, 0, 1000, 4000]),
         "clear": rng.choice([at_least - 1, rng.randint(0, at_least - 1)])}
    v["text"] = '''rule "model/level" {
  key = { "k" }, clock = { time = "ts", idle = "1h" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "10s",
                   crit = { at_least = %(at_least)d, hold = "%(hold)dms", clear = %(clear)d } },
  alert = incident {},
}''' % v
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 25)):
        at += rng.choice([0, 100, 500, 1000, 1000, 2000, 5000, 10_000])
        yield at, "events", {"ts": max(0, at - rng.choice([0, 0, 0, 1000, 9_000, 10_000, 15_000]))}


class Key:
    def __init__(self, variant, end):
        self.v, self.end, self.out = variant, end, []
        self.times, self.now = [], None
        self.fires, self.since = False, None

    def judge(self, at, since):
        """The count at this instant, and what follows from it. since: when, by the events, it became so."""
        count = sum(1 for t in self.times if at - OVER < t)
        if count >= self.v["at_least"]:
            if not self.fires and self.since is None:
                self.since = since
        else:
            self.since = None
            if self.fires and count <= self.v["clear"]:
                self.tell(at, False, count)
        if self.since is not None and not self.fires and (
                self.v["hold"] == 0 or self.since + self.v["hold"] < at):
            self.tell(at, True, count)

    def tell(self, at, fires, count):
        self.fires, self.since = fires, None
        self.out.append({"at": at, "kind": "level", "level": "crit" if fires else "ok",
                         "from": "ok" if fires else "crit", "values": {"value": count, "count": count},
                         "start": at - OVER, "stop": at, "reason": None})

    def walk(self, until, inclusive=False):
        """All that is due before `until`."""
        while self.now is not None:
            leave = min((t + OVER for t in self.times if t + OVER > self.now), default=None)
            hold = None if self.since is None else self.since + self.v["hold"]
            due = min((t for t in (leave, hold) if t is not None), default=None)
            if due is None or due > until or (due == until and not inclusive):
                break
            self.now = due
            if due == leave:
                self.judge(due, due)
            if self.since is not None and self.since + self.v["hold"] <= due:
                self.tell(due, True, sum(1 for t in self.times if due - OVER < t))


def judge(variant, events, end):
    key = Key(variant, end)
    for event in events:
        now = max(event.time, event.clock or 0, key.now or 0)
        key.walk(now)
        if event.time <= now - OVER:
            continue  # late: it has left already
        key.times.append(event.time)
        key.now = now
        key.judge(now, max(key.times))
    key.walk(end, inclusive=True)
    return key.out
