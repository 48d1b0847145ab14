# SPDX-License-Identifier: Apache-2.0
"""Storm control: what is told singly, what a summary stands for, and until when. See judge.py.

A key has some hosts whose incidents storm together. Of each instant events come first, then reminders, then what
the summary tells, then the end of a period. feeds/storm_feed.py makes the rules and the events.
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
        self.until, self.count, self.settle = NEVER, 0, min(v["per"] // 6, 10_000)
        self.over()

    def over(self):
        """The summary stands for nobody."""
        self.members, self.said_at, self.due = [], None, NEVER
        self.all = self.came = self.said = self.level = self.last = 0

    def say(self, t, status, h, level):
        self.out.append({"at": t, "status": status, "level": NAMES[level], "stands_for": 1 if h else self.all,
                         "incident": f"{self.k}-{h}" if h else f"model/storm/storm/{self.k}"})
        if not h:
            self.out[-1]["values"] = {"open": len(self.members)}

    def say_all(self, t):
        self.say(t, "firing", None, self.level)
        self.said, self.last, self.said_at, self.due = self.came, self.level, t, NEVER

    def period_over(self, t):
        if self.said and self.came > self.said:
            self.say_all(t)
        self.until = t + self.v["per"] if self.members and self.count > self.v["max"] else NEVER
        self.count = 0

    def stand_for(self, h, t):
        if self.v["drop"]:
            return
        if h not in self.members:
            self.members, self.all = self.members + [h], self.all + 1
        self.came, self.level = self.came + 1, max(self.level, self.hosts[h].level)
        if self.due == NEVER and (not self.said or self.came >= 2 * self.said or self.level > self.last):
            self.due = max(t, (self.said_at if self.said else t) + self.settle)

    def tell(self, h, t, counts):
        host = self.hosts[h]
        host.told = host.level if self.v["changes"] else max(host.told, host.level)
        host.remind = t + self.v["remind"]
        if counts and self.until == NEVER:
            self.until, self.count, self.came, self.said = t + self.v["per"], 0, 0, 0
        self.count += counts
        if counts and self.count > self.v["max"]:
            self.stand_for(h, t)
        else:
            host.announced = True
            self.say(t, "firing", h, host.level)

    def leave(self, h, t):
        if h in self.members:
            self.members.remove(h)
            if not self.members:
                if self.said_at is not None:
                    self.say(t, "resolved", None, self.level)
                self.over()

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
            self.leave(h, t)

    def walk(self, before):
        while True:
            h = min(self.hosts, key=lambda h: self.hosts[h].remind)
            t = self.hosts[h].remind
            first = min(t, self.due, self.until)
            if first >= before:
                return
            if t == first:
                self.tell(h, t, True)
            elif self.due == first:
                self.say_all(first)
            else:
                self.period_over(first)


def judge(v, events, end):
    zone = Zone(v, events[0].fields["k"])
    for e in events:
        zone.walk(e.time)
        if e.fields["v"] != zone.hosts[e.fields["h"]].was:
            zone.set(e.fields["h"], e.fields["v"], e.time)
    zone.walk(end + 1)
    return zone.out
