# SPDX-License-Identifier: Apache-2.0
"""The level detector: several levels, every bound, hold, clear, clear_hold, min, full, at, nodata, late events.
See judge.py.

The model keeps all samples and asks at each instant at which anything can happen (an event, a departure, the end of
a hold or of the patience with silence) what the value is. feeds/level_feed.py makes the rules and the events.
"""
from feeds.level_feed import KINDS, OVER, RULES, TIME, VARIANTS, events  # noqa: F401

RANK = ["ok", "info", "warn", "crit", "unknown"]


def holds(s, x):
    low, high = s["low"], s["high"]
    return {"above": x > low, "at_least": x >= low, "below": x < high, "at_most": x <= high,
            "outside": x < low or x > high, "between": low < x < high}[s["how"]]


class Key:
    def __init__(self, v, event):
        self.v, self.out, self.first, self.now, self.newest = v, [], event.time, event.time, event.time
        self.samples, self.sampled, self.dead = [], event.time, False
        self.active, self.since, self.clearing = set(), {}, {}
        self.override, self.told, self.told_pending = None, "ok", "ok"

    def value(self, at):
        """(the value or None, of how many samples)"""
        x = [x for t, x in self.samples if self.v["of"] == "last" or at - OVER < t]
        x = x[-1:] if self.v["of"] == "last" else x
        return None if len(x) < self.v["min"] else len(x) if self.v["of"] == "count" else max(x, default=None), len(x)

    def silent(self, at):
        return self.v["after"] and self.sampled + self.v["after"] <= at

    def be_silent(self):
        self.since, self.clearing, self.dead = {}, {}, True
        if self.v["be"] == "ok":
            self.active, self.override = set(), None
        elif self.v["be"] != "keep":
            self.override = "unknown" if self.v["be"] == "unknown" else max(self.v["levels"], key=RANK.index)

    def judge(self, at, since):
        """since: when, by the events, it became so."""
        if self.v["full"] and self.first > at - OVER:
            return
        x, _ = self.value(at)
        if x is None:
            self.since, self.clearing = {}, {}
            return
        self.override = None
        for name, s in self.v["levels"].items():
            fires, over = holds(s, x), name in self.active
            if fires and not over:
                self.since.setdefault(name, since)
            else:
                self.since.pop(name, None)
            if over and not fires and s["clear"][0] <= x <= s["clear"][1]:
                self.clearing.setdefault(name, since)
            else:
                self.clearing.pop(name, None)
        self.turn(at - 1, 0)  # exactly at its end another event may still undo it

    def turn(self, at, least=None):
        """What has lasted long enough; what need not last (least = 0) at once."""
        for waiting, option, change in ((self.since, "hold", self.active.add),
                                        (self.clearing, "clear_hold", self.active.discard)):
            for name, since in list(waiting.items()):
                lasts = self.v["levels"][name][option]
                if since + lasts <= at or lasts == least:
                    change(name)
                    del waiting[name]

    def tell(self, at):
        active, pending = (max(names, key=RANK.index, default="ok") for names in (self.active, self.since))
        told, now = self.told, self.override or active
        if now != told:
            values = dict(zip(("value", "count"), self.value(at)))
            self.out.append({"at": at, "kind": "level", "from": told, "level": now, "values": values})
            self.told = now
        told, pending = self.told_pending, pending if RANK.index(pending) > RANK.index(active) else "ok"
        if pending != told and (pending != "ok" or self.told == "unknown" or RANK.index(self.told) < RANK.index(told)):
            self.out.append({"at": at, "kind": "pending", "level": pending})
        self.told_pending = pending

    def walk(self, until):
        """All that is due before `until`."""
        while True:
            leaves = [t + OVER for t, _ in self.samples if self.v["of"] != "last" and t + OVER > self.now]
            ends = [t + self.v["levels"][n]["hold"] for n, t in self.since.items()]
            ends += [t + self.v["levels"][n]["clear_hold"] for n, t in self.clearing.items()]
            ends += [self.sampled + self.v["after"]] * (self.v["after"] > 0 and not self.dead)
            due = min(leaves + ends, default=until)
            if due >= until:
                return
            self.now = due
            if self.silent(due):
                self.be_silent()
            elif due in leaves and not self.v["at"]:
                self.judge(due, due)
            self.turn(due)
            self.tell(due)


def judge(v, events, end):
    key = None
    for e in events:
        now = max(e.time, e.clock or 0, key.newest if key else 0)
        if v["of"] == "last" and key and e.time < key.newest or v["of"] != "last" and e.time <= now - OVER:
            continue  # late
        key.walk(now) if key else None
        key = key or Key(v, e)
        key.now, key.newest = now, max(key.newest, e.time)
        if e.fields["kind"] == "ev":
            key.samples.append((e.time, e.fields["v"]))
            key.dead, key.sampled = key.dead and e.time < key.sampled, max(key.sampled, e.time)
        if key.silent(now - 1):
            key.be_silent()
        elif not key.silent(now) and (not v["at"] or e.fields["kind"] == "tick"):
            key.judge(now, key.newest)
        key.tell(now)
    if key:
        key.walk(end + 1)
    return key.out if key else []
