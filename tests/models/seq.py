# SPDX-License-Identifier: Apache-2.0
"""Sequences: random steps with quantifiers, guards, waits and bounds, under each overlap. See judge.py.

The model keeps of a match the whole path and everything that has come since its last event, and asks of
that history anew at each event what may come next.
"""
VARIANTS, TIME, FOREVER = 60, "ts", 10 ** 15


def RULES(rng):
    steps = []
    for n in range(rng.randint(2, 4)):
        least = rng.choice([1, 1, 1, 2])
        most = rng.choice([least, least, 99]) if n else least
        inputs = [rng.choice("abc")] if rng.random() < .7 else ["a", "c"]
        if n and rng.random() < .2 and not all(s["optional"] for s in steps):
            steps.append({"absent": "x", "strict": rng.random() < .4, "optional": False})
        elif n and rng.random() < .15 and not all(s["optional"] for s in steps):
            steps.append({"absent": "x", "lasting": 1500, "optional": False})
        steps.append({"any": inputs, "least": least, "most": most, "run": most > 1 and rng.random() < .3,
                      "strict": n > 0 and rng.random() < .2, "optional": rng.random() < .2,
                      "within": 3000 if rng.random() < .3 and (n or most > 1) else FOREVER,
                      "where": n > 0 and rng.random() < .2 and not steps[0]["optional"]})
    steps[-1]["optional"] = False
    if rng.random() < .3:
        steps.append({"absent": "x", "lasting": 2000, "optional": False})
    v = {"steps": steps, "overlap": rng.choice(["newest", "oldest", "every", "past_last"]),
         "stop": rng.random() < .3, "emit": rng.random() < .5, "within": rng.choice([8000, 20_000])}
    v["text"] = '''rule "model/seq" {
  key = { "k" }, clock = { time = "ts" }, inputs = { %s },
  detect = seq { %s, overlap = "%s", within = "%dms"%s%s },
  alert = incident {},
}''' % (", ".join(f'{i} = from "events" {{ kind = "{i}" }}' for i in "abcxz"),
        ", ".join(lua(n, s, steps[0].get("most", 1) > 1) for n, s in enumerate(steps)), v["overlap"], v["within"],
        ', stop_on = "z"' if v["stop"] else "", ', on_timeout = "emit"' if v["emit"] else "")
    return v


def lua(n, s, listed):
    flags = "".join(f", {name} = true" for name in ("strict", "run", "optional") if s.get(name))
    if "absent" in s:
        return '{ absent = "x"%s%s }' % (', lasting = "%dms"' % s["lasting"] if "lasting" in s else "", flags)
    counts = f'times = {s["least"]}' if s["least"] == s["most"] else f'at_least = {s["least"]}, at_most = 99'
    return '{ any = { "%s" }, as = "s%d", %s%s%s%s }' % (
        '", "'.join(s["any"]), n, counts, flags, f', within = "{s["within"]}ms"' if s["within"] < FOREVER else "",
        f', where = function(e, m) return e.v == m.s0{".first" if listed else ""}.v end' if s["where"] else "")


def events(rng, key):
    at = rng.randint(0, 5_000)
    for _ in range(rng.randint(10, 60)):
        at += rng.choice([0, 100, 300, 500, 1000, 1500, 3000])
        yield at, "events", {"kind": rng.choice("aaaabbbcccxz"), "v": rng.choice([1, 1, 2]),
                             "ts": max(0, at - rng.choice([0, 0, 0, 0, 200, 1500]))}


class Match:
    """path: [step, events, when the step before ended, newest time]; since: what came and was not taken."""
    def __init__(self, v, n, event, tick):
        self.v, self.steps, self.since, self.ticks = v, v["steps"], [], (tick, tick)
        self.path, self.start, self.first = [[n, [event], event.time, event.time]], event.time, event

    def view(self):
        n, taken, base, last = self.path[-1]
        short = "any" in self.steps[n] and len(taken) < self.steps[n]["least"]
        return n, taken, base, last, short

    def ahead(self, event=None):
        """(steps that may come next, the wait that goes on) after all that has come, `event` included."""
        n, taken, base, last, short = self.view()
        came = [e for e in self.since if e.time >= last]
        found, end = [], base if short else last
        for j in range(n + 1, len(self.steps) if not short or self.steps[n]["optional"] else 0):
            s = self.steps[j]
            if "absent" in s:
                all_of = self.since + ([event] if event else [])
                first = (came + [e for e in [event] if e and e.time >= last])[:1] if not short else []
                if any(e.fields["kind"] == "x" and e.time >= end for e in (first if s.get("strict") else all_of)):
                    break
                if "lasting" in s:
                    return found, (j, end + s["lasting"])
            else:
                if not (s["strict"] and (came or short)):
                    found.append(j)
                if not s["optional"]:
                    break
        return found, None

    def again(self):
        n, taken, base, last, short = self.view()
        j = n + 1
        while j < len(self.steps) and self.steps[j]["optional"]:
            j += 1
        s, waits = self.steps[n], j < len(self.steps) and "lasting" in self.steps[j]
        broken = s.get("run") and any(e.time >= last for e in self.since)
        return "any" in s and len(taken) < s["most"] and not broken and (short or not waits)

    def offer(self, event, now, tick):
        n, taken, base, last, short = self.view()
        if event.fields["kind"] == "z" and self.v["stop"]:
            return "skips" if event.time < base else "dies"
        tries = [(j, base if short else last) for j in self.ahead(event)[0]]
        repeat = [(n, base)] if self.again() else []
        for j, end in repeat + tries if short else tries + repeat:
            s = self.steps[j]
            if event.fields["kind"] in s["any"] and end <= event.time <= end + s["within"] and (
                    not s["where"] or event.fields["v"] == self.first.fields["v"]):
                if j == n:
                    self.path[-1][1:] = [taken + [event], base, max(last, event.time)]
                else:
                    self.path[short and -1 or len(self.path):] = [[j, [event], end, event.time]]
                since = self.since if j == n and event.time < last else []
                if short and not s["optional"]:  # no guard was on yet when they came
                    since = [e._replace(fields={"kind": ""}) for e in since]
                self.since = since
                self.ticks = self.ticks[0], tick
                return "full" if self.full() else "takes" if self.lives() else "dies"
        self.since.append(event)
        return "skips" if self.lives() and self.due() >= now else "dies"

    def lives(self):
        return self.again() or self.ahead()[0] or self.ahead()[1]

    def full(self):
        n, taken, base, last, short = self.view()
        return n == len(self.steps) - 1 and not short

    def due(self):
        n, taken, base, last, short = self.view()
        found, wait = self.ahead()
        life = [(base if short else last) + self.steps[j]["within"] for j in found]
        life += [base + self.steps[n]["within"]] if self.again() else []
        return min(self.start + self.v["within"], wait[1] if wait else max(life))


def judge(v, events, end):
    opens, out, clock = [], [], 0

    def tell(m, at, timed_out):
        out.append({"at": at, "kind": "occurrence", "start": m.start, "stop": at if timed_out else m.path[-1][3],
                    "facts": {"timed_out": timed_out} if v["emit"] else None,
                    "roles": {f"s{n}": {"count": len(taken)} for n, taken, *_ in m.path if taken}})

    def walk(until):
        while opens and min(m.due() for m in opens) <= until:
            m = min(opens, key=lambda m: m.due())
            at, wait = m.due(), m.ahead()[1]
            short = m.view()[4]
            if wait and wait[1] == at:
                m.path[short and -1 or len(m.path):] = [[wait[0], [], at, at]]
                m.since = []
                if not m.full():
                    continue
                tell(m, max(at, clock), False)
                if v["overlap"] == "past_last":
                    opens[:] = [o for o in opens if o.ticks[0] > m.ticks[1]]
            elif v["emit"]:
                tell(m, max(at, clock), True)
            opens[:] = [o for o in opens if o is not m]

    for tick, event in enumerate(events):
        now = max(event.time, event.clock or 0)
        walk(now - 1)
        clock, taken = max(clock, event.clock or 0, event.time), False
        for m in list(opens):
            outcome = m.offer(event, now, tick)
            taken = taken or outcome in ("takes", "full")
            if outcome in ("full", "dies"):
                opens.remove(m)
            if outcome == "full":
                tell(m, now, False)
                if v["overlap"] == "past_last":
                    opens.clear()
                    break
        old = v["overlap"] == "newest" and opens and event.time < opens[0].start
        if (taken or v["overlap"] == "oldest" and opens or old) and v["overlap"] != "every":
            continue
        for n, s in enumerate(v["steps"]):
            if event.fields["kind"] in s.get("any", ""):
                opens[:] = [] if v["overlap"] == "newest" else opens
                opens.append(Match(v, n, event, tick))
                if opens[-1].full():
                    tell(opens.pop(), now, False)
            if event.fields["kind"] in s.get("any", "") or not s["optional"]:
                break
    walk(end)
    return out
