# SPDX-License-Identifier: Apache-2.0
"""Storm control: what is told singly, what a summary stands for, and until when. See judge.py.

A key has some hosts whose incidents storm together. Of each instant events come first, then reminders, then the end
of a period. feeds/storm_feed.py makes the rules and the events.
"""
from feeds.storm_feed import KINDS, NAMES, NEVER, RULES, TIME, VARIANTS, events  # noqa: F401


class Host:
    def __init__(self):
        self.level = self.was = 0
        self.end()

    def end(self):
        self.told, self.announced, self.remind, self.highest = 0, False, NEVER, 0


class Zone:
    def __init__(self, v, k):
        self.v, self.k, self.out, self.hosts = v, k, [], {h: Host() for h in ("h1", "h2", "h3", "h4")}
        self.calm()

    def calm(self):
        self.until, self.count, self.rest, self.open, self.level = NEVER, 0, 0, False, 0

    def say(self, t, status, h, level, many=1):
        self.out.append({"at": t, "status": status, "level": NAMES[level], "stands_for": many,
                         "incident": f"{self.k}-{h}" if h else f"model/storm/storm/{self.k}"})

    def period_over(self, t):
        if self.open and self.count > self.v["max"]:
            self.say(t, "firing", None, self.level, self.rest)
            self.count, self.until = 0, t + self.v["per"]
            return
        if self.open:
            self.say(t, "resolved", None, self.level, self.rest)
        self.calm()

    def tell(self, h, t, counts):
        host = self.hosts[h]
        host.told = host.level if self.v["changes"] else max(host.told, host.level)
        host.remind = t + self.v["remind"]
        if counts:
            self.until = t + self.v["per"] if self.until == NEVER else self.until
            self.count += 1
        if not counts or self.count <= self.v["max"]:
            host.announced = True
            self.say(t, "firing", h, host.level)
            return
        self.rest, self.level = self.rest + 1, max(self.level, host.level)
        if not self.v["drop"] and not self.open:
            self.open = True
            self.say(t, "firing", None, self.level, self.rest)

    def set(self, h, level, t):
        host = self.hosts[h]
        fell, host.was = level < host.was, level
        if level:
            host.level, host.highest = level, max(level, host.highest)
            if level > host.told or fell and self.v["changes"] or host.remind <= t:
                self.tell(h, t, level > host.told or host.remind <= t and not (fell and self.v["changes"]))
        elif host.level:
            if host.announced:
                self.say(t, "resolved", h, host.highest)
            host.level = 0
            host.end()

    def walk(self, before):
        while True:
            h = min(self.hosts, key=lambda h: self.hosts[h].remind)
            t = self.hosts[h].remind
            if min(t, self.until) >= before:
                return
            if t <= self.until:
                self.tell(h, t, True)
            else:
                self.period_over(self.until)


def judge(v, events, end):
    zone = Zone(v, events[0].fields["k"])
    for e in events:
        zone.walk(e.time)
        if e.fields["v"] != zone.hosts[e.fields["h"]].was:
            zone.set(e.fields["h"], e.fields["v"], e.time)
    zone.walk(end + 1)
    return zone.out
