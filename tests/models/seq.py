# SPDX-License-Identifier: Apache-2.0
"""Sequences: random steps with quantifiers, guards, waits and bounds, under each overlap. See judge.py.

The model keeps of a match everything that has come since its last event, and asks of that history anew at
each event what may come next. feeds/seq_feed.py makes the rules and the events.
"""
from feeds.seq_feed import RULES, TIME, VARIANTS, events  # noqa: F401


class Match:
    """At step n since base (the end of the one before); last: its newest time; since: came, not taken."""
    def __init__(self, v, n, event, tick):
        self.v, self.steps, self.first, self.start, self.ticks = v, v["steps"], event, event.time, (tick, tick)
        self.n, self.base, self.last, self.counts, self.since = n, event.time, event.time, {n: 1}, []

    short = property(lambda m: m.counts.get(m.n, 99) < m.steps[m.n].get("least", 0))
    end = property(lambda m: m.base if m.short else m.last)  # a step given up half done never was
    full = property(lambda m: m.n == len(m.steps) - 1 and not m.short)
    lives = property(lambda m: m.again() or any(m.ahead()))

    def go(self, n, base, last):
        if self.short:
            del self.counts[self.n]
        self.n, self.base, self.last, self.since = n, base, last, []

    def ahead(self, event=None):
        """(steps that may come next, the wait that goes on) after all that has come, `event` included."""
        came = [e for e in self.since if e.time >= self.last]
        found, every = [], self.since + ([event] if event else [])
        first = [] if self.short else [e for e in every if e.time >= self.last][:1]
        for j in range(self.n + 1, len(self.steps) if not self.short or self.steps[self.n]["optional"] else 0):
            s = self.steps[j]
            if "any" in s:
                found += [j] if not (s["strict"] and (came or self.short)) else []
                if not s["optional"]:
                    break
            elif any(e.fields["kind"] == "x" and e.time >= self.end for e in (first if s.get("strict") else every)):
                break
            elif "lasting" in s:
                return found, (j, self.end + s["lasting"])
        return found, None

    def again(self):
        s, follow = self.steps[self.n], [f for f in self.steps[self.n + 1:] if not f["optional"]]
        broken = s.get("run") and any(e.time >= self.last for e in self.since)
        waits = not self.short and follow and "lasting" in follow[0]
        return "any" in s and self.counts[self.n] < s["most"] and not broken and not waits

    def offer(self, event, now, tick):
        if event.fields["kind"] == "z" and self.v["stop"]:
            return "skips" if event.time < self.base else "dies"
        tries = [(j, self.end) for j in self.ahead(event)[0]]
        repeat = [(self.n, self.base)] if self.again() else []
        for j, end in repeat + tries if self.short else tries + repeat:
            s = self.steps[j]
            if event.fields["kind"] in s["any"] and end <= event.time <= end + s["within"] and (
                    not s["where"] or event.fields["v"] == self.first.fields["v"]):
                if j != self.n:
                    self.go(j, end, event.time)
                elif event.time >= self.last:
                    self.last, self.since = event.time, []
                elif self.short and not s["optional"]:  # no guard was on yet when they came
                    self.since = [e._replace(fields={"kind": ""}) for e in self.since]
                self.counts[j] = self.counts.get(j, 0) + 1
                self.ticks = self.ticks[0], tick
                return "full" if self.full else "takes" if self.lives else "dies"
        self.since.append(event)
        return "skips" if self.lives and self.due() >= now else "dies"

    def due(self):
        found, wait = self.ahead()
        life = [self.end + self.steps[j]["within"] for j in found]
        life += [self.base + self.steps[self.n]["within"]] if self.again() else []
        return min(self.start + self.v["within"], wait[1] if wait else max(life))


def judge(v, events, end):
    opens, out, clock, overlap = [], [], 0, v["overlap"]

    def tell(m, at, timed_out=False):
        out.append({"at": at, "kind": "occurrence", "start": m.start, "stop": at if timed_out else m.last,
                    "facts": {"timed_out": timed_out} if v["emit"] else None,
                    "roles": {f"s{n}": {"count": count} for n, count in m.counts.items()}})

    def walk(until):
        while opens and min(m.due() for m in opens) <= until:
            m = min(opens, key=Match.due)
            at, wait = m.due(), m.ahead()[1]
            if wait and wait[1] == at:
                m.go(wait[0], at, at)
            if m.full or not wait or wait[1] != at:
                opens.remove(m)
                if m.full or v["emit"]:
                    tell(m, max(at, clock), not m.full)
                opens[:] = [o for o in opens if o.ticks[0] > m.ticks[1] or overlap != "past_last" or not m.full]

    for tick, event in enumerate(events):
        now, kind, taken = max(event.time, event.clock or 0), event.fields["kind"], False
        walk(now - 1)
        clock = max(clock, now)
        for m in list(opens):
            outcome = m.offer(event, now, tick) if m in opens else "skips"
            taken = taken or outcome in ("takes", "full")
            if outcome in ("full", "dies"):
                opens.remove(m)
            if outcome == "full":
                tell(m, now)
                opens[:] = opens if overlap != "past_last" else []
        held = taken or opens and (overlap == "oldest" or overlap == "newest" and event.time < opens[0].start)
        first = next(n for n, s in enumerate(v["steps"]) if kind in s.get("any", "") or not s["optional"])
        if kind in v["steps"][first]["any"] and (not held or overlap == "every"):
            opens[:] = (opens if overlap != "newest" else []) + [Match(v, first, event, tick)]
            if opens[-1].full:
                tell(opens.pop(), now)
    walk(end)
    return out
