# SPDX-License-Identifier: Apache-2.0
"""A level over session windows: gap, max, min, prev, clear_hold, two inputs, late events. See judge.py.

Every event of a session is kept, and all is worked out from the list of them when it is over.
"""
TIME, VARIANTS = "ts", 24


def RULES(rng):
    v = {"gap": rng.choice([2000, 5000]), "max": rng.choice([0, 0, 8000, 12_000]), "min": rng.choice([0, 0, 2, 3]),
         "hold": rng.choice([0, 0, 4000]), "clear_hold": rng.choice([0, 0, 3000]), "bound": rng.randint(4, 9)}
    options = f', max = "{v["max"]}ms"' if v["max"] else ""
    options += f', min = {v["min"]}' if v["min"] else ""
    v["text"] = f'''rule "model/level_sessions" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, alert = incident {{}},
  inputs = {{ a = from "events" {{ kind = "a" }}, b = from "events" {{ kind = "b" }} }},
  detect = level {{ gap = "{v["gap"]}ms"{options},
    of = {{ total = sum("a", "x"), many = count "b", newest = last("b", "x"), speed = rate "a",
           more = sum("a", "x") - prev(sum("a", "x")), was = prev(rate "b") }},
    crit = {{ when = function(v) return v.total and v.total >= {v["bound"]} end,
             hold = "{v["hold"]}ms", clear_hold = "{v["clear_hold"]}ms" }} }},
}}'''
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 20)):
        at += rng.choice([0, 500, 1000, 1000, 2000, 4000, 5000, 9000])
        yield at, "events", {"ts": max(0, at - rng.choice([0, 0, 0, 500, 2000, 5000, 6000])), "kind": rng.choice("ab"),
                             "x": rng.randint(1, 5)}


def measured(v, events, before):
    def of(kind, session):
        return [e.fields["x"] for e in sorted(session, key=lambda e: e.time) if e.fields["kind"] == kind]

    def rate(kind, session):
        span = max(e.time for e in session) - min(e.time for e in session) if session else 0
        return len(of(kind, session)) * 1000 / span if span and of(kind, session) else None

    a, b = of("a", events), of("b", events)
    values = {"total": sum(a), "many": len(b), "newest": b[-1] if b else None, "speed": rate("a", events),
              "more": sum(a) - sum(of("a", before)), "was": rate("b", before)}
    if len(events) < v["min"]:
        values = dict.fromkeys(values)
    elif len(before) < v["min"]:
        values.update(more=None, was=None)
    return dict(values, count=len(events))


def judge(v, events, end):
    out, session, judged, last, over = [], [], [], {}, None  # over: no later session takes what is this old
    fires, since, clearing = False, None, None

    def tell(at, to):
        nonlocal fires, since, clearing
        fires, since, clearing = to, None, None
        out.append(dict(last, at=at, kind="level", level="crit" if to else "ok"))

    def holds(until, inclusive):
        for begun, lasts, to in (since, v["hold"], True), (clearing, v["clear_hold"], False):
            if begun is not None and (begun + lasts < until or inclusive and begun + lasts == until):
                tell(begun + lasts, to)

    def close(at):
        nonlocal session, over, since, clearing, judged, last
        values = measured(v, session, judged)
        last = {"values": values, "start": min(e.time for e in session), "stop": max(e.time for e in session)}
        session, judged, over = [], session, at
        if values["total"] is None:
            since = clearing = None
        elif values["total"] >= v["bound"]:
            since, clearing = at if not fires and since is None else since, None
        else:
            since, clearing = None, at if fires and clearing is None else clearing
        holds(at, True)

    def pass_to(time, inclusive=False):
        if session:
            until = max(e.time for e in session) + v["gap"]
            until = min(until, min(e.time for e in session) + v["max"]) if v["max"] else until
            if until < time or inclusive and until == time:
                holds(until, False)
                close(until)
        holds(time, inclusive)

    for event in events:
        now, time = max(event.time, event.clock or 0), event.time
        pass_to(now)
        start = min((e.time for e in session), default=None)
        if time + v["gap"] < (start if session else now):
            continue
        if (not session or time < start) and (over is not None and time <= over or session and v["max"] and
                                              time + v["max"] < now):
            continue
        session.append(event)
    pass_to(end, True)
    return out
