# SPDX-License-Identifier: Apache-2.0
"""The impact detector: means before and after, Welch's test, direction, effect, samples that are late or come before
their event. See judge.py. The chance is found by adding up the density of Student's distribution."""
import math
import statistics

TIME, VARIANTS = "ts", 24
NAMES = ["better", "same", "worse", "unknown"]


def RULES(rng):
    v = {"before": rng.choice([5000, 10_000]), "after": rng.choice([5000, 8000]), "settle": rng.choice([0, 1000]),
         "worse": rng.choice(["higher", "lower", "either"]), "effect": rng.choice([0, 0.1, 0.3]),
         "confidence": rng.choice([0.9, 0.95, 0.99]), "min": rng.choice([2, 3, 5]),
         "when": rng.choice(["not better", "not unknown", "worse", "same or better, unknown"])}
    words = v["when"].replace(",", "").split()
    v["tell"] = [name for name in NAMES if (name in words) != (words[0] == "not")]
    options = ", ".join(f'{name} = "{v[name]}ms"' for name in ("before", "after", "settle"))
    options += ", ".join([""] + [f"{name} = {v[name]}" for name in ("effect", "confidence", "min")])
    v["text"] = f'''rule "model/impact" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }},
  inputs = {{ up = from "events" {{ kind = "up" }}, m = from "events" {{ kind = "m" }} }},
  detect = impact {{ event = "up", metric = {{ "m", "value" }}, {options}, worse = "{v["worse"]}" }},
  alert = incident {{ severity = "warn", when = "{v["when"]}", title = "${{up.n}}" }},
}}'''
    return v


def events(rng, key):
    at, level, spread = rng.randint(0, 20_000), rng.choice([100, 100, 5, -20, 0]), rng.choice([0, 1, 1, 10])
    for n in range(rng.randint(1, 60)):
        at += rng.choice([0, 250, 500, 500, 1000, 1000, 3000])
        fields = {"ts": max(0, at - rng.choice([0, 0, 0, 0, 500, 2000, 9000])), "kind": "m", "n": n,
                  "value": level + rng.gauss(0, 1) * spread}
        if rng.random() < 0.1:
            fields["value"] = rng.choice(["x", None])
        if rng.random() < 0.06:
            fields["kind"], level = "up", level * rng.choice([1, 1, 1.2, 0.7, 2])
        yield at, "events", fields


def chance(a, b):
    """Of means so far apart: two-sided, by Simpson's rule over the density of t, in an angle."""
    va, vb = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    distance = abs(statistics.fmean(a) - statistics.fmean(b))
    if va + vb == 0:
        return 0.0 if distance else 1.0
    freedom = (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
    top = math.atan(distance / math.sqrt(va + vb) / math.sqrt(freedom))
    steps = 2000
    points = [math.cos(top * i / steps) ** (freedom - 1) for i in range(steps + 1)]
    area = (points[0] + points[-1] + 4 * sum(points[1:-1:2]) + 2 * sum(points[2:-1:2])) * top / steps / 3
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return max(0.0, 1 - 2 * scale * area)


def verdict(v, before, after):
    change = statistics.fmean(after) - statistics.fmean(before) if before and after else 0
    sure = 1 - chance(before, after) if min(len(before), len(after)) >= 2 else None
    size = abs(statistics.fmean(before)) if before else 0
    if min(len(before), len(after)) < v["min"]:
        name = "unknown"
    elif sure < v["confidence"] or abs(change) < v["effect"] * size or abs(change) < 1e-9:
        name = "same"
    else:
        name = "better" if {"higher": change < 0, "lower": change > 0, "either": False}[v["worse"]] else "worse"
    return name, sure, change / size if before and after and size else None


def judge(v, events, end):
    out, span, newest, known = [], v["settle"] + v["after"], None, None
    samples, opened = [], []

    def settle(until, inclusive, now):
        while opened and (opened[0].time + span < until or (inclusive and opened[0].time + span <= until)):
            e = opened.pop(0)
            before = [x for t, x in samples if e.time - v["before"] < t <= e.time]
            after = [x for t, x in samples if e.time + v["settle"] < t <= e.time + span]
            name, sure, effect = verdict(v, before, after)
            facts = {"verdict": name, "before": statistics.fmean(before) if before else None,
                     "after": statistics.fmean(after) if after else None}
            if name in v["tell"]:
                out.append({"kind": "occurrence", "at": max(e.time + span, now), "facts": facts,
                            "start": e.time - v["before"], "stop": e.time + span})

    for event in events:
        value, is_sample = event.fields.get("value"), event.fields["kind"] == "m"
        if is_sample and not isinstance(value, float):
            continue
        now = max(event.time, event.clock or 0, newest or 0)
        settle(now, False, known or 0)
        known = event.clock if event.clock is not None else known
        asked = opened and event.time > opened[0].time - v["before"]
        if event.time + span < now if not is_sample else event.time <= now - span - v["before"] and not asked:
            continue  # late
        newest = max(newest or 0, event.time)
        samples.append((event.time, value)) if is_sample else opened.append(event)
        opened.sort(key=lambda e: e.time)
    settle(end, True, known or 0)
    return out
