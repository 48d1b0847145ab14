# SPDX-License-Identifier: Apache-2.0
"""Sessions: gap, max, split_on, where, emit, two inputs, late events. See judge.py.

Every event of a session is kept, and all is worked out from the list of them when it is asked for.
"""
TIME, VARIANTS = "ts", 24


def RULES(rng):
    v = {"gap": rng.choice([2000, 5000]), "max": rng.choice([0, 0, 8000, 12_000]),
         "emit": rng.choice(["close", "first"]),
         "split": rng.random() < 0.4, "where": rng.choice([0, 2, 3]), "when": rng.random() < 0.2}
    options = f', max = "{v["max"]}ms"' if v["max"] else ""
    options += ', split_on = "version"' if v["split"] else ""
    where = f', where = function(s) return s.count >= {v["where"]} and s.stop - s.start < 9000 end'
    options += where if v["where"] else ""
    v["text"] = f'''rule "model/session" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }},
  inputs = {{ a = from "events" {{ kind = "a" }}, b = from "events" {{ kind = "b" }} }},
  detect = session {{ gap = "{v["gap"]}ms", emit = "{v["emit"]}"{options},
    of = {{ total = sum("a", "x"), share = count("b", {{ x = gte(3) }}) / count "b", top = max("b", "x"),
           oldest = first("a", "x"), newest = last("b", "x"),
           speed = rate "a", up = delta("a", "x"), mean = avg("b", "x") }} }},
  alert = incident {{ severity = "info"{", when = function(v) return v.total > 4 end" if v["when"] else ""} }},
}}'''
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 20)):
        at += rng.choice([0, 500, 1000, 1000, 2000, 4000, 5000, 9000])
        fields = {"ts": max(0, at - rng.choice([0, 0, 0, 500, 2000, 5000, 6000, 8000])), "kind": rng.choice("ab")}
        if rng.random() < 0.9:
            fields["x"] = rng.randint(1, 5)
        if rng.random() < 0.5:
            fields["version"] = rng.choice([1, 1, 1, 2])
        yield at, "events", fields


def values(events):
    events = sorted(events, key=lambda e: e.time)  # of one time as they came
    span = (events[-1].time - events[0].time) / 1000
    of = {kind: [e.fields["x"] for e in events if e.fields["kind"] == kind and "x" in e.fields] for kind in "ab"}
    many = {kind: sum(1 for e in events if e.fields["kind"] == kind) for kind in "ab"}
    a, b = of["a"], of["b"]
    return {"count": len(events), "total": sum(a), "top": max(b, default=None), "oldest": a[0] if a else None,
            "newest": b[-1] if b else None, "up": a[-1] - a[0] if a else None, "mean": sum(b) / len(b) if b else None,
            "share": sum(1 for x in b if x >= 3) / many["b"] if many["b"] else None,
            "speed": many["a"] / span if span and many["a"] else None}


def judge(v, events, end):
    out, now = [], None
    session, told, version, over = [], False, None, None  # over: no later session takes what is this old

    def span():
        return min(e.time for e in session), max(e.time for e in session)

    def tell(at, closed):
        found, (start, stop) = values(session), span()
        if v["where"] and not (len(session) >= v["where"] and stop - start < 9000) or v["when"] and found["total"] <= 4:
            return False
        out.append({"at": at, "kind": "occurrence", "level": "info", "values": found, "start": start, "stop": stop,
                    "facts": {"closed": closed}})
        return True

    def close(at, until, why):
        nonlocal session, over
        if v["emit"] == "close":
            tell(at, why)
        session, over = [], until

    def pass_to(time, inclusive=False):
        if session:
            start, stop = span()
            until, why = stop + v["gap"], "gap"
            if v["max"] and start + v["max"] < until:
                until, why = start + v["max"], "max"
            if until < time or (inclusive and until == time):
                close(until, until, why)

    for event in events:
        now, time = max(event.time, event.clock or 0), event.time
        mine = event.fields.get("version") if v["split"] else None
        pass_to(now)
        differs = session and mine is not None and version is not None and mine != version
        if session:
            start, stop = span()
            if time < start - v["gap"] or time < stop and differs:
                continue
            if time < start and (over is not None and time <= over or v["max"] and time + v["max"] < now):
                continue
        elif time + v["gap"] < now or over is not None and time <= over:
            continue
        if differs:
            close(now, span()[1], "split")
        if not session:
            told, version = False, None
        session.append(event)
        version = mine if version is None else version
        if v["emit"] == "first" and not told:
            told = tell(now, None)
    pass_to(end, True)
    return out
