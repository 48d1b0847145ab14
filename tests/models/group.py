# SPDX-License-Identifier: Apache-2.0
"""Incidents told as a group, some of them held back by an inhibitor that may still appear. See judge.py.

A key is a zone with some hosts: its hosts' incidents are one group, its outage inhibits them. Of each instant the events come
first, then members that have waited for the inhibitor, then the group. feeds/group_feed.py makes
the rules and the events.
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "feeds"))
from group_feed import KINDS, NAMES, NEVER, RULES, TIME, VARIANTS, events  # noqa: E402, F401


class Member:
    def __init__(self, h):
        self.h, self.level, self.was, self.told, self.since, self.want, self.due = h, 0, 0, 0, None, None, NEVER
        self.queued = self.grouped = self.held = False


class Zone:
    def __init__(self, v, k):
        self.v, self.out, self.az, self.members = v, [], 0, {h: Member(f"{k}-{h}") for h in ("h1", "h2", "h3")}
        self.over()

    def over(self):
        self.list, self.resolved, self.first, self.until, self.changed, self.remind = [], [], None, NEVER, False, NEVER

    def say(self, t, status):
        group = {"firing": [{"incident": m.h, "level": NAMES[m.level]} for m in self.list if m.level],
                 "resolved": [{"incident": h} for h in self.resolved]}
        self.out.append({"at": t, "status": status, "rule": "model/group", "group": group})

    def tell(self, m, t, until):
        """Whether something is to be told of a member, and whether its time has come."""
        m.held, m.due = self.v["inhibited"] and self.az > 0, NEVER
        news = not m.queued and m.level > m.told
        m.since = None if not news and not m.queued else t if m.since is None else m.since
        if m.held and m.queued:
            m.queued = False
            if not m.told:
                self.leave(m, t)
        if not news or m.held:
            m.want = None
            return
        m.want = t if m.want is None else m.want
        if m.since + self.v["hold"] > until:
            m.due = m.since + self.v["hold"]
            return
        want, m.want = m.want, None
        if not m.grouped:
            self.list.append(m)
            m.grouped = True
        if m.told and self.first is not None:
            self.flush(t)
            return
        m.queued, self.changed = m.queued or not m.told, self.changed or m.told > 0
        if self.first is None and self.until == NEVER:
            self.until = max(want + self.v["wait"], t)

    def leave(self, m, t):
        self.list.remove(m)
        m.grouped = False
        if not self.list:
            if self.first is not None and self.resolved:
                self.say(t, "resolved")
            self.over()

    def flush(self, t):
        self.say(t, "firing")
        for m in self.list:
            m.told, m.queued, m.since, m.want, m.due = max(m.told, m.level), False, None, None, NEVER
        self.first, self.changed, self.resolved, self.remind = t if self.first is None else self.first, False, [], t + self.v["remind"]

    def due(self, now):
        if self.first is None:
            return self.until
        news = self.changed or self.resolved or any(m.queued for m in self.list)
        turn = self.first + -(-(now - self.first) // self.v["interval"]) * self.v["interval"]
        return min(turn if news else NEVER, self.remind)

    def set(self, m, level, t):
        fell, m.was = level < m.was, level
        if level == 0 and m.level:
            m.level = 0
            if m.grouped:
                self.resolved += [m.h] * (m.told > 0)
                self.leave(m, t)
            m.told, m.queued, m.since, m.want, m.held, m.due = 0, False, None, None, False, NEVER
        elif level and (m.level or not fell):
            m.level = level
            self.tell(m, t, t - 1)

    def outage(self, level, t):
        if (level > 0) != (self.az > 0) or level > self.az:
            self.out.append({"at": t, "status": "firing" if level else "resolved", "rule": "model/az"})
        if level == 0:
            for m in self.members.values():
                m.due = t if m.held and m.level else m.due
        self.az = level

    def walk(self, before, now):
        while True:
            m = min(self.members.values(), key=lambda m: m.due)
            t = min(m.due, self.due(now))
            if t >= before:
                return
            now = t if m.due == t else t + 1
            if m.due == t:
                self.tell(m, t, t)
            else:
                held = self.v["inhibited"] and self.az > 0
                for one in list(self.list):
                    if one.queued and held:
                        self.tell(one, t, t)
                    one.held = held
                news = self.changed or self.resolved or any(one.queued for one in self.list)
                if self.first is None or news:
                    self.flush(t) if self.list else None
                elif self.remind <= t:  # one that nobody may hear is left out
                    self.remind += self.v["remind"] if held else 0
                    self.flush(t) if not held else None


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
