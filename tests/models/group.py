# SPDX-License-Identifier: Apache-2.0
"""Incidents told as a group, some of them held back by an inhibitor that may still appear. See judge.py.

A key is a zone with some hosts: its hosts' incidents are one group, its outage inhibits them. Of each instant the
events come first, then members that have waited for the inhibitor, then the group. feeds/group_feed.py makes the
rules and the events.
"""
from feeds.group_feed import KINDS, NAMES, NEVER, RULES, TIME, VARIANTS, events  # noqa: F401


class Member:
    def __init__(self, h):
        self.h, self.level, self.was, self.told, self.since, self.want, self.due = h, 0, 0, 0, None, None, NEVER
        self.queued = self.held = False


class Zone:
    def __init__(self, v, k):
        self.v, self.k, self.out, self.az, self.members = v, k, [], 0, {h: Member(h) for h in ("h1", "h2", "h3")}
        self.over()

    inhibited = property(lambda z: z.v["inhibited"] and z.az > 0)
    news = property(lambda z: z.changed or z.resolved or any(m.queued for m in z.list))

    def over(self):
        self.list, self.resolved, self.first, self.until, self.changed, self.remind = [], [], None, NEVER, False, NEVER

    def say(self, t, status):
        group = {"firing": [{"incident": f"{self.k}-{m.h}", "level": NAMES[m.level]} for m in self.list if m.level],
                 "resolved": [{"incident": f"{self.k}-{h}"} for h in self.resolved]}
        self.out.append({"at": t, "status": status, "rule": "model/group", "group": group})

    def tell(self, m, t, until):
        """Whether something is to be told of a member, and whether its time has come."""
        m.held, m.due = self.inhibited, NEVER
        news = not m.queued and m.level > m.told
        m.since = None if not news and not m.queued else t if m.since is None else m.since
        if m.held and m.queued:
            m.queued = False
            if not m.told:
                self.leave(m, t)
        want, m.want = t if m.want is None else m.want, None
        if not news or m.held:
            return
        if m.since + self.v["hold"] > until:
            m.want, m.due = want, m.since + self.v["hold"]
            return
        if m not in self.list:
            self.list.append(m)
        if m.told and self.first is not None:
            self.flush(t)
        else:
            m.queued, self.changed = m.queued or not m.told, self.changed or m.told > 0
            self.until = max(want + self.v["wait"], t) if self.until == NEVER else self.until

    def leave(self, m, t):
        self.list.remove(m)
        if not self.list:
            if self.resolved:
                self.say(t, "resolved")
            self.over()

    def flush(self, t):
        self.say(t, "firing")
        for m in self.list:
            m.told, m.queued, m.since, m.want, m.due = max(m.told, m.level), False, None, None, NEVER
        self.first = t if self.first is None else self.first
        self.changed, self.resolved, self.remind = False, [], t + self.v["remind"]

    def due(self, now):
        if self.first is None:
            return self.until
        turn = self.first + -(-(now - self.first) // self.v["interval"]) * self.v["interval"]
        return min(turn if self.news else NEVER, self.remind)

    def set(self, m, level, t):
        fell, m.was = level < m.was, level
        if level == 0 and m.level:
            if m in self.list:
                self.resolved += [m.h] * (m.told > 0)
                self.leave(m, t)
            self.members[m.h] = Member(m.h)
        elif level and (m.level or not fell):
            m.level = level
            self.tell(m, t, t - 1)

    def outage(self, level, t):
        if (level > 0) != (self.az > 0) or level > self.az:
            self.out.append({"at": t, "status": "firing" if level else "resolved", "rule": "model/az"})
        for m in (m for m in self.members.values() if level == 0 and m.held and m.level):
            m.due = t
        self.az = level

    def walk(self, before, now):
        while True:
            m = min(self.members.values(), key=lambda m: m.due)
            t = min(m.due, self.due(now))
            if t >= before:
                return
            now = t + (m.due > t)
            self.tell(m, t, t) if m.due == t else self.turn(t)

    def turn(self, t):
        for m in [m for m in self.list if m.queued and self.inhibited]:
            self.tell(m, t, t)
        for m in self.list:
            m.held = self.inhibited
        if self.list and (self.first is None or self.news or self.remind <= t and not self.inhibited):
            self.flush(t)
        elif self.remind <= t:  # one that nobody may hear is left out
            self.remind += self.v["remind"]


def judge(v, events, end):
    zone, now = Zone(v, events[0].fields["k"]), 0
    for e in events:
        zone.walk(e.time, now)
        now = e.time
        if e.fields["h"] == "az":
            zone.outage(e.fields["v"], now)
        elif e.fields["v"] != zone.members[e.fields["h"]].was:
            zone.set(zone.members[e.fields["h"]], e.fields["v"], now)
    zone.walk(end + 1, now)
    return zone.out
