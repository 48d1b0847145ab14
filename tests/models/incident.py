# SPDX-License-Identifier: Apache-2.0
"""What is told of one incident: of levels and of occurrences, notify, resolve, remind, flap, silences, active.
See judge.py.

Time goes from instant to instant: events first, then what ends an incident, then what is told of it.
feeds/incident_feed.py makes the rules and the events.
"""
from feeds.incident_feed import KINDS, NEVER, RULES, TIME, VARIANTS, events  # noqa: F401

NAMES = ["ok", "info", "warn", "crit"]


class Incident:
    def __init__(self, v):
        self.v, self.out, self.silences, self.changes, self.detector, self.calm_at = v, [], [], [], 0, NEVER
        self.close()

    def close(self):
        self.member = self.level = self.told = self.peak = self.highest = 0
        self.announced = self.flapping = self.flap_told = self.quiet = self.again = False
        self.until = self.remind = self.calm_at = NEVER

    def muted(self, t):
        return self.v["active"] and not 60_000 <= t < 120_000 or any(a <= t < b for a, b in self.silences)

    def say(self, t, status):
        self.out.append({"at": t, "status": status, "level": NAMES[self.level if status == "firing" else self.highest],
                         "flapping": True if self.flapping and status == "firing" else None})

    def set(self, level, t):
        """The member comes to a level; an incident is open while it is there, or flaps."""
        if level != self.member:
            self.member = level
            if self.v["flap"]:
                most, within, calm = self.v["flap"]
                self.changes = [c for c in self.changes if c > t - within] + [t]
                self.flapping = self.flapping or len(self.changes) > most
                self.calm_at = t + (calm or within // 2) if self.flapping else NEVER
        self.settle(t)

    def settle(self, t):
        if self.member == 0 and not self.flapping:
            if self.announced and self.v["told"]:
                self.say(t, "resolved")
            self.close()
        else:
            self.level = self.member or self.level
            self.highest = max(self.highest, self.level)
            self.tell(t)

    def tell(self, t):
        due, falls = self.remind <= t, self.level < self.told
        rises = self.level > (self.peak if self.flapping else self.told)
        if due:
            self.remind += self.v["remind"]
        if self.muted(t):
            self.quiet = True
            return
        self.again, self.quiet = self.again or self.quiet and self.announced, False
        if (self.told == 0 or self.again or due or self.flapping and not self.flap_told or
                rises and self.v["notify"] != "first" or
                falls and self.v["notify"] == "changes" and not self.flapping):
            self.say(t, "firing")
            self.told = self.level if self.v["notify"] == "changes" else max(self.told, self.level)
            self.peak, self.announced = max(self.peak, self.level), True
            self.again, self.flap_told = False, self.flapping
            self.remind = t + self.v["remind"]

    def walk(self, before):
        while self.level:
            edges = [t for s in self.silences for t in s] + [60_000, 120_000] * self.v["active"]
            t = min([self.until, self.remind, self.calm_at] + [e for e in edges if e > self.passed])
            if t >= before:
                return
            self.passed = t
            ended, calmed = self.until <= t, self.calm_at <= t
            if ended:
                self.until = NEVER
                self.set(0, t)
            if self.level and calmed and self.calm_at <= t:
                self.flapping, self.flap_told, self.changes, self.calm_at = False, False, [], NEVER
                self.settle(t)
            elif self.level and not ended:
                self.tell(t)


def judge(v, events, end):
    inc = Incident(v)
    inc.passed = 0
    for e in events:
        inc.walk(e.at)
        inc.passed, level = max(inc.passed, e.at - 1), e.fields.get("v")
        if e.stream == "@do":
            inc.silences.append((e.fields["from"], e.fields["until"]))
        elif e.fields["to"] == "over":
            inc.set(0, e.at) if v["on"] and inc.level else None
        elif v["occurs"]:
            if level or inc.level:
                if level and (not v["first"] or not inc.level):
                    inc.until = e.at + v["after"]
                inc.set(max(inc.member, level) if level else 0, e.at)
        elif level != inc.detector:
            fell, inc.detector = level < inc.detector, level
            inc.set(level, e.at) if inc.level or not fell else None
    inc.walk(end + 1)
    return inc.out
