# SPDX-License-Identifier: Apache-2.0
"""Every aggregate in every kind of window, several in a rule; a level begins when the first is above
a bound. See judge.py.

The model keeps all events of a key and works each value out of those in the window, by its definition. Events
come in order; disorder and holds are other models' business.
"""
from itertools import pairwise
import statistics

TIME, VARIANTS, LAST = "ts", 30, 4
SPAN = {"sliding": 10_000, "panes": 64, "hopping": 10_000, "tumbling": 5000, "count": 0, "none": 0}
WINDOWS = {"sliding": 'over = "10s",', "panes": 'over = "64ms", exact = 1,', "hopping": 'over = "10s", every = "5s",',
           "tumbling": 'every = "5s",', "count": "last = 4,", "none": ""}


class Near(float):
    """Equal to whatever is within one percent."""
    def __sub__(self, other):
        return 0.0 if abs(float(self) - other) <= 0.01 * abs(float(self)) else float("inf")


def some(of, least=1):
    return lambda s: of([e["v"] for e in s]) if len(s) >= least else None


def grown(x):
    return sum(b if b < a else b - a for a, b in pairwise(x))


def rate(s):
    return grown([e["v"] for e in s]) * 1000 / (s[-1]["ts"] - s[0]["ts"]) if s and s[0]["ts"] < s[-1]["ts"] else None


def ewma(s):
    weights = [0.5 ** ((s[-1]["ts"] - e["ts"]) / 3000) for e in s]
    return sum(w * e["v"] for w, e in zip(weights, s)) / sum(weights) if s else None


def trend(s):
    times = [(e["ts"] - s[0]["ts"]) / 1000 for e in s]
    return statistics.linear_regression(times, [e["v"] for e in s]).slope if len(set(times)) > 1 else None


def top(s):
    counts = {p: sum(e["v"] for e in s if e["p"] == p) for p in {e["p"] for e in s if e["v"] > 0}}
    return [{"value": p, "count": counts[p]} for p in sorted(counts, key=lambda p: (-counts[p], p))[:2]]


V = '("ev", "v")'
AGGREGATES = [  # as written, what it comes to, a bound
    ('count "ev"', len, 3), ("sum" + V, lambda s: sum(e["v"] for e in s), 30), ("avg" + V, some(statistics.fmean), 9),
    ("min" + V, some(min), 4), ("max" + V, some(max), 15), ("first" + V, some(lambda x: x[0]), 9),
    ("delta" + V, some(lambda x: x[-1] - x[0]), 2), ("stddev" + V, some(statistics.stdev, 2), 6), ("rate" + V, rate, 3),
    ("trend" + V, trend, 0), ("increase" + V, some(grown, 2), 20),
    ('distinct("ev", "p")', lambda s: len({e["p"] for e in s}), 2),
    ("changes" + V, some(lambda x: sum(a != b for a, b in pairwise(x))), 2),
    ("resets" + V, some(lambda x: sum(b < a for a, b in pairwise(x))), 1), ('topk("ev", "p", 2, "v")', top, 12),
    ('quantile("ev", "v", 0.75)', some(lambda x: Near(sorted(x)[int(0.75 * (len(x) - 1))])), 9)]
BARE = [("last" + V, some(lambda x: x[-1]), 9), ('ewma("ev", "v", "3s")', ewma, 9),
        ('elapsed "ev"', lambda s: (s[-1]["ts"] - s[-2]["ts"]) / 1000 if len(s) > 1 else None, 1),
        ('sum(latest("ev", "v", "p"))', lambda s: sum({e["p"]: e["v"] for e in s}.values()), 20)]


def RULES(rng):
    kind = rng.choice(list(WINDOWS))
    chosen = rng.sample(BARE if kind == "none" else AGGREGATES + BARE, 4 if kind == "none" else 6)
    chosen.sort(key=lambda a: kind == "panes" and a[0].startswith("elapsed"))  # no level by what is that small
    written, v = [w for w, _, _ in chosen], {"kind": kind, "over": SPAN[kind], "of": [of for _, of, _ in chosen]}
    v["list"] = written[0].startswith("topk")
    v["prev"] = kind != "none" and written[0][0] not in "tq" and rng.random() < 0.3
    v["bound"] = 0.137 + (0 if v["prev"] else chosen[0][2])
    if v["prev"]:
        written[0] = f"{written[0]} - prev({written[0]})"
    of = ", ".join(f"v{n} = {w}" for n, w in enumerate(written))
    value = "v.v0[1] and v.v0[1].count" if v["list"] else "v.v0"
    v["text"] = f'''rule "model/aggregates" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }},
  inputs = {{ ev = from "events" {{}} }}, alert = incident {{}},
  detect = level {{ of = {{ {of} }}, {WINDOWS[kind]}
                   crit = {{ when = function(v) return ({value} or 0) > {v["bound"]:g} end }} }},
}}'''
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 30)):
        at += rng.choice([0, 7, 30, 500, 1000, 2500, 5000, 12_000])
        yield at, "events", {"ts": at, "v": rng.randint(0, 20), "p": rng.choice("abcd")}


def window(v, seen, t, back):
    """The events of the window that is judged at t; back 1: of the one before it."""
    if v["kind"] == "none":
        return seen
    if v["kind"] == "count":
        part = seen[max(0, len(seen) - LAST * (back + 1)):max(0, len(seen) - LAST * back)]
        return part if len(part) == LAST else None
    age, late = t - back * v["over"], v["kind"] in ("hopping", "tumbling")
    return [e for e in seen if age - v["over"] < e["ts"] + late <= age]


def deadlines(v, seen, after, until):
    """When a window is judged without an event: after < t < until."""
    ends = range(after // 5000 * 5000, until, 5000) if v["kind"] in ("hopping", "tumbling") else ()
    slides = v["kind"] in ("sliding", "panes")
    leave = {e["ts"] + n * v["over"] for e in seen for n in (1, 1 + v["prev"])} if slides else ()
    return sorted(t for t in [*ends, *leave] if after < t < until)


def judge(v, events, end):
    seen, out, fires, done = [], [], False, events[0].time - 1
    for event in [*events, None]:
        instants = deadlines(v, seen, done, event.time if event else min(end + 1, seen[-1]["ts"] + 3_000_000))
        done = max(instants, default=done)
        if event:
            instants.append(event.time)
        for t in instants:
            if event and t == event.time:
                seen.append(event.fields)
                if v["kind"] in ("hopping", "tumbling"):
                    continue
                done = t
            now, before = window(v, seen, t, 0), window(v, seen, t, 1)
            values = [None if now is None else of(now) for of in v["of"]]
            if v["prev"] and values[0] is not None:
                was = None if before is None else v["of"][0](before)
                values[0] = None if was is None else values[0] - was
            first = values[0][0]["count"] if v["list"] and values[0] else values[0]
            over = (first or 0) > v["bound"] if any(x not in (None, []) for x in values) else fires
            if over != fires:
                told = dict({f"v{n}": x for n, x in enumerate(values)}, count=1 if v["kind"] == "none" else len(now))
                out.append({"at": t, "level": "crit" if over else "ok", "values": told})
            fires = over
    return out
