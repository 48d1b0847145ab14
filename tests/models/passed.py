# SPDX-License-Identifier: Apache-2.0
"""What a rule passes on: dedup by a field, throttle by key, events out of order. See judge.py.

A repeat is looked for among all that was judged; a period of the throttle among all that went out.
"""
TIME, VARIANTS, KINDS = "ts", 16, ("event",)


def RULES(rng):
    v = {"within": rng.choice([0, 2000, 6000]), "max": rng.choice([0, 1, 2, 3]), "per": rng.choice([3000, 10_000])}
    dedup = f'dedup = {{ by = "id", within = "{v["within"]}ms" }},' if v["within"] else ""
    throttle = f'throttle = {{ max = {v["max"]}, per = "{v["per"]}ms" }}' if v["max"] else ""
    v["text"] = f'''rule "model/passed" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, inputs = {{ ev = from "events" {{}} }},
  {dedup} emit = to "passed" {{ {throttle} }},
}}'''
    return v


def events(rng, key):
    at = rng.choice([rng.randint(0, 20_000), 500 * rng.randint(0, 40)])  # at one instant with others, or not
    for n in range(rng.randint(1, 25)):
        at += rng.choice([0, 500, 1000, 1000, 2000, 3000, 6000])
        fields = {"ts": max(0, at - rng.choice([0, 0, 0, 500, 2000, 6000])), "n": n}
        if rng.random() < 0.9:
            fields["id"] = rng.randint(1, 3)
        yield at, "events", fields


def judge(v, events, end):
    out, firsts, start, count = [], {}, None, 0
    for e in events:
        name, now = e.fields.get("id"), -1 if e.clock is None else e.clock
        if v["within"] and name:
            first = firsts.get(name)
            known = first is not None and first + v["within"] >= now  # else it is forgotten
            if known and abs(e.time - first) <= v["within"]:
                continue
            firsts[name] = e.time
        if start is None or e.time >= start + v["per"]:
            start, count = e.time, 0
        count += 1
        if not v["max"] or count <= v["max"]:
            out.append({"at": e.time, "event": {"n": e.fields["n"]}})
    return sorted(out, key=lambda s: s["at"])  # as replay prints them
