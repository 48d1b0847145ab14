# SPDX-License-Identifier: Apache-2.0
"""What a measure emits in every kind of window, until its key is forgotten. See judge.py.

All events of a key are kept until it is forgotten; what is due is asked of the list, instant by instant.
"""
TIME, VARIANTS, KINDS, FORGET = "ts", 40, ("event",), 23_333
OVER = {"sliding": 10_000, "hopping": 10_000, "tumbling": 5000, "last": 0, "blocks": 0, "none": 0}
SAID = {"sliding": 'over = "10s"', "hopping": 'over = "10s", every = "5s"', "tumbling": 'every = "5s"',
        "last": "last = 3", "blocks": "last = 3, every = 3", "none": ""}
OF = {'count "ev"': len, 'sum("ev", "v")': lambda x: sum(filter(None, x)),
      'count("ev", { v = gte(4) }) / count "ev"': None,
      'avg("ev", "v")': lambda x: sum(x) / len(x), 'last("ev", "v")': lambda x: x[-1], 'max("ev", "v")': max}


def RULES(rng):
    kind = rng.choice(list(SAID))
    of = [rng.choice([w for w in OF if kind != "none" or w[:4] == "last"]) for _ in range(rng.choice([1, 1, 2]))]
    v = {"kind": kind, "of": of, "min": rng.choice([0, 0, 2]) if kind != "none" else 0,
         "first": kind == "tumbling" and rng.random() < 0.5,
         "full": kind in ("sliding", "hopping") and rng.random() < 0.3,
         "prev": kind in ("sliding", "hopping", "tumbling") and rng.random() < 0.3,
         "names": ["value"] if len(of) == 1 else ["one", "two"]}
    if v["prev"]:
        v.update(min=0, full=False, of=['count "ev"'], names=["value"])
    written = [f"{w} - prev({w})" if v["prev"] else w for w in v["of"]]
    of = written[0] if len(written) == 1 else f"{{ one = {written[0]}, two = {written[1]} }}"
    options = [f"of = {of}"] + [SAID[kind]] * (kind != "none") + [f'min = {v["min"]}'] * (v["min"] > 0) + [
        'align = "first"'] * v["first"] + ["full = true"] * v["full"]
    v["text"] = f'''rule "model/measure" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, forget = "{FORGET}ms",
  inputs = {{ ev = from "events" {{}} }}, emit = to "measured" {{}},
  detect = measure {{ {", ".join(options)} }},
}}'''
    return v


def events(rng, key):
    time, found = rng.randint(0, 40) * 500, []
    for _ in range(rng.randint(1, 25)):
        time += rng.choice([500, 500, 1000, 2500, 5000, 12_000, 30_000])
        found.append((time, {"ts": time, "v": rng.randint(0, 9)}))
    return [(time, "events", fields) for time, fields in found]


def value(v, of, inside):
    x = [e["v"] for e in inside if "v" in e]
    if len(inside) < v["min"]:
        return None
    if OF[of] is None:
        return sum(1 for y in x if y >= 4) / len(inside) if inside else None
    if of.startswith("count"):
        return len(inside)
    return OF[of](x) if x or of.startswith("sum") else None


def inside(v, seen, t, back=0):
    if v["kind"] in ("last", "blocks"):
        return seen[-3:]
    if v["kind"] == "none":
        return seen
    late, age = v["kind"] != "sliding", t - back * OVER[v["kind"]]
    return [e for e in seen if age - OVER[v["kind"]] < e["ts"] + late <= age]


def deadlines(v, seen, after, until):
    """Judgements without an event, after < t < until; a key is forgotten FORGET after its newest event."""
    until = min(until, seen[-1]["ts"] + FORGET) if seen else 0
    if v["kind"] in ("hopping", "tumbling"):
        base = seen[0]["ts"] % 5000 if v["first"] and seen else 0
        return range((after - base) // 5000 * 5000 + base + 5000, until, 5000) if seen else []
    leave = {e["ts"] + n * 10_000 for e in seen for n in (1, 1 + v["prev"])} if v["kind"] == "sliding" else ()
    return sorted(t for t in leave if after < t < until)


def judge(v, events, end):
    out, seen, done = [], [], 0

    def tell(t):
        if v["full"] and t - seen[0]["ts"] < OVER[v["kind"]]:
            return
        values = [value(v, of, inside(v, seen, t)) for of in v["of"]]
        if v["prev"]:
            values[0] -= value(v, v["of"][0], inside(v, seen, t, 1))
        out.append({"at": t, "event": dict(zip(v["names"], values), time=t)})

    grid = v["kind"] in ("hopping", "tumbling")
    for event in [*events, None]:
        for t in deadlines(v, seen, done, event.time if event else end + 1):
            tell(t)
            done = t
        if event is None:
            return out
        if seen and event.time > seen[-1]["ts"] + FORGET:
            seen = []
        done = event.time if not grid or not seen else done
        seen.append(event.fields)
        least = {"last": v["min"] or 3, "blocks": 3}.get(v["kind"], 1)
        if not grid and len(seen) >= least and (v["kind"] != "blocks" or len(seen) % 3 == 0):
            tell(event.time)
