# SPDX-License-Identifier: Apache-2.0
"""The together detector: two or three kinds, several of one, a function over the set, with and without
lateness. See judge.py. The model tries every span that ends with an event and holds the new one."""
TIME, VARIANTS = "ts", 24
KINDS = ("occurrence",)


def RULES(rng):
    names = rng.sample(["x", "y", "z"], rng.choice([2, 2, 3]))
    v = {"need": {name: rng.choice([1, 1, 2]) for name in names}, "within": rng.choice([1000, 5000, 9000]),
         "lateness": rng.choice([0, 0, 16_000]), "where": rng.random() < 0.5}
    n = ["g.%s.%sn" % (name, "first." if need > 1 else "") for name, need in v["need"].items()][:2]
    v["text"] = '''rule "model/together" {
  key = { "k" }, clock = { time = "ts", lateness = "%sms", idle = "1d" },
  inputs = { %s },
  detect = together { %s, need = { %s }, within = "%sms" %s },
  alert = incident {},
}''' % (v["lateness"], ", ".join('%s = from "%s" {}' % (name, name) for name in "xyz"),
        ", ".join('"%s"' % name for name in names), ", ".join("%s = %d" % need for need in v["need"].items()),
        v["within"], ", where = function(g) return %s ~= %s end" % tuple(n) if v["where"] else "")
    return v


def events(rng, key):
    at = rng.choice([rng.randint(0, 20_000), 500 * rng.randint(0, 40)])  # at one instant with others, or not
    for _ in range(rng.randint(1, 25)):
        at += rng.choice([0, 0, 500, 1000, 1000, 2000, 5000])
        time = max(0, at - rng.choice([0, 0, 0, 0, 1000, 1000, 2000, 5000, 10_000, 15_000]))
        yield at, rng.choice("xyz"), {"n": rng.randint(1, 3), "ts": time}


def newest(v, waiting, end):
    """The newest of each kind in the span that ends then; None: too few of one."""
    found = {}
    for name, need in v["need"].items():
        there = [e for e in waiting if e.stream == name and end - v["within"] <= e.time <= end]
        if len(there) < need:
            return None
        found[name] = there[-need:]
    return found


def holds(v, found):
    first, second = list(found.values())[:2]
    return not v["where"] or first[0].fields["n"] != second[0].fields["n"]


def judge(v, events, end):
    out, waiting = [], []
    if v["lateness"]:
        order = list(v["need"]) + list("xyz")
        events = [e for e in events if e.clock is None or e.time >= e.clock - v["lateness"]]
        events = sorted(events, key=lambda e: (e.time, order.index(e.stream)))
        events = [e._replace(clock=e.time) for e in events]
    for event in (e for e in events if e.stream in v["need"]):
        clock = -10**9 if event.clock is None else event.clock
        if event.time + 2 * v["within"] < clock:
            continue  # late
        waiting = [e for e in waiting if e.time + v["within"] >= clock]
        waiting = sorted(waiting + [event], key=lambda e: e.time)
        for last in sorted({e.time for e in waiting if 0 <= e.time - event.time <= v["within"]}):
            found = newest(v, waiting, last)
            if not found or not holds(v, found):
                continue
            ends = {name: {"count": len(some), "first_ms": some[0].time, "last_ms": some[-1].time}
                    for name, some in found.items()}
            out.append({"at": last, "kind": "occurrence", "roles": ends, "stop": last,
                        "start": min(part["first_ms"] for part in ends.values())})
            waiting = [e for e in waiting if not any(e is x for some in found.values() for x in some)]
            break
    return sorted(out, key=lambda s: s["at"])  # as replay prints them
