# SPDX-License-Identifier: Apache-2.0
"""The missing detector over a whole fleet: a list learned or of a table, and a guard for the source. See judge.py.

All hosts are walked through together, from instant to instant: of each the events come first, then the source,
then the hosts.
"""
import random

from judge import START

TIME, VARIANTS, NEVER = "ts", 100, 10**15
OUTAGES = [(30_000, 50_000), (80_000, 86_000), (120_000, 122_000)]


def RULES(rng):
    v = {"every": rng.choice([3000, 5000]), "grace": rng.choice([0, 1000, 2500]), "learn": rng.choice([9000, 30_000]),
         "table": rng.random() < 0.5, "guard": rng.choice([0, 500, 1500, 2500])}
    expect = '{ table = "fleet", where = { state = "on" } }' if v["table"] else f'{{ learn = "{v["learn"]}ms" }}'
    guard = f', source_guard = "{v["guard"]}ms"' if v["guard"] else ""
    v["text"] = f'''rule "model/missing_fleet" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "4000d" }},
  inputs = {{ hb = from "events" {{ kind = "hb" }}, off = from "events" {{ kind = "off" }} }},
  detect = missing {{ "hb", every = "{v["every"]}ms", grace = "{v["grace"]}ms", stop_on = "off",
                     expect = {expect}{guard} }},
  alert = incident {{ severity = "warn" }},
}}'''
    return v


def state(key):
    return random.Random(key).choice(["on", "on", "off"])


def tables(v, keys):
    """Some are not on the list, others never come."""
    return {"fleet": {key: {"state": state(key)} for key in [*keys, "n1", "n2"]}} if v["table"] else {}


def events(rng, key):
    at = rng.choice([0, 0, 300, 500, 20_000])
    while at < 150_000 and rng.random() < 0.97:
        if not any(start < at < stop for start, stop in OUTAGES):
            yield at, "events", {"ts": at, "kind": rng.choice(["hb"] * 12 + ["off"])}
        at += rng.choice([500, 1000, 1000, 2500, 3000, 5000, 7500])


class Fleet:
    def __init__(self, v, at, expected):
        self.v, self.out, self.heard, self.dead, self.hosts = v, {}, at, False, {}
        for key in expected:
            self.expect(key, at)

    def expect(self, key, at):
        self.hosts[key] = {"base": at, "newest": None, "missing": False, "stopped": False}

    def tell(self, key, at, missing, since, seen, reason=None):
        levels = ("ok", "warn") if missing else ("warn", "ok")
        facts = {"silent": (at - since) / 1000, "last_seen": None if seen is None else seen + START}
        self.out.setdefault(key, []).append({"kind": "level", "at": at, "from": levels[0], "level": levels[1],
                                             "reason": reason, "facts": facts})

    def turn(self, key, at, missing, reason=None):
        host = self.hosts[key]
        if missing != host["missing"]:
            host["missing"] = missing
            since = host["base"] if host["newest"] is None else host["newest"]
            self.tell(key, at, missing, since, host["newest"], reason)

    def due(self, host):
        silent = NEVER if host["missing"] else host["base"] + self.v["every"] + self.v["grace"]
        leaves = NEVER if self.v["table"] else host["base"] + self.v["learn"]
        return NEVER if self.dead or host["stopped"] else min(silent, leaves)

    def walk(self, before):
        while True:
            key = min(self.hosts, key=lambda key: self.due(self.hosts[key]), default=None)
            at = self.due(self.hosts[key]) if key else NEVER
            dies = self.heard + self.v["guard"] if self.v["guard"] and not self.dead else NEVER
            if min(at, dies) >= before:
                return
            if dies <= at:
                self.dead = True
                self.tell(None, dies, True, self.heard, self.heard)
            elif not self.v["table"] and self.hosts[key]["base"] + self.v["learn"] <= at:
                self.turn(key, at, False, "forgotten")
                del self.hosts[key]
            else:
                self.turn(key, at, True)

    def hear(self, key, at):
        if self.dead:
            self.tell(None, at, False, self.heard, self.heard)
            self.dead = False
            for host in self.hosts.values():  # each that waits for something has its time anew
                host["base"] = at if self.due(host) < NEVER else host["base"]
        self.heard = at
        if not self.v["table"] and key not in self.hosts:
            self.expect(key, at)
        if key in self.hosts:
            self.turn(key, at, False)
            self.hosts[key].update(base=at, newest=at, stopped=False)


def judge_all(v, events, end):
    rows = tables(v, [key for key in events if key]).get("fleet", {})
    fleet = Fleet(v, events[None][0].time, [key for key, row in rows.items() if row["state"] == "on"])
    for e in events[None]:
        key = e.fields["k"]
        fleet.walk(e.time)
        if e.fields["kind"] == "hb":
            fleet.hear(key, e.time)
        elif key in fleet.hosts:
            fleet.turn(key, e.time, False, "stopped")
            fleet.hosts[key].update(newest=e.time, stopped=True)
    fleet.walk(end + 1)
    return fleet.out
