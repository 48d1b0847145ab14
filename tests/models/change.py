# SPDX-License-Identifier: Apache-2.0
"""The change detector: values that count after a hold, from, to, initial, one or two fields, one or two inputs,
late events. See judge.py.

A field is known as [the value that counts, [one that waits] or None, since when it waits].
"""
TIME, VARIANTS = "ts", 24
KINDS = ("level", "occurrence", "resolve", "pending")
STATES = ["up", "down", "failed", "idle", 5, 5.0, True, None]
SIDES = {None: None, '"up"': {"up"}, 'oneof("down", "failed")': {"down", "failed"}, 'except "up"': "not up",
         '"down"': {"down"}, "5": {5}}


def RULES(rng):
    fields = rng.choice([["state"], ["state"], ["state", "zone"]])
    side = rng.choice([(None, None), (None, '"down"'), ('"up"', None), ('"up"', 'oneof("down", "failed")'),
                       ('except "up"', '"up"'), (None, 'oneof("down", "failed")'), (None, "5")])
    v = {"fields": fields, "inputs": rng.choice(["a", "ab"]), "from": side[0], "to": side[1],
         "hold": rng.choice([0, 0, 1000, 3000]),
         "initial": rng.choice([None, None, "up", "down"])}
    options = "".join(f", {name} = {v[name]}" for name in ("from", "to") if v[name])
    options += f', initial = "{v["initial"]}"' if v["initial"] else ""
    options += f', hold = "{v["hold"]}ms"' if v["hold"] else ""
    of = "{ " + ", ".join(f'"{name}"' for name in fields) + " }"
    v["text"] = f'''rule "model/change" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, alert = incident {{ severity = "warn" }},
  inputs = {{ {", ".join(f'{i} = from "events" {{ kind = "{i}" }}' for i in v["inputs"])} }},
  detect = change {{ {", ".join(f'"{i}"' for i in v["inputs"])}, of = {of}{options} }},
}}'''
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 20)):
        at += rng.choice([0, 500, 1000, 1000, 2000, 3000, 8000])
        fields = {"ts": max(0, at - rng.choice([0, 0, 0, 500, 2000, 5000])), "kind": rng.choice("aaab")}
        for name in "state", "zone":
            if rng.random() < 0.8:
                fields[name] = rng.choice(STATES if rng.random() < 0.3 else STATES[:3])
        yield at, "events", fields


def equal(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def takes(side, value):
    told = SIDES[side]
    return told is None or (value != "up" if told == "not up" else any(equal(value, one) for one in told))


def judge(v, events, end):
    out, known = [], {name: [v["initial"], None, 0] for name in v["fields"] if v["initial"]}
    opened, told_pending, newest = set(), [False], None

    def tell(kind, at, was, level, *facts):
        out.append({"kind": kind, "at": at, "from": was, "level": level,
                    "facts": dict(zip(("from", "to", "field"), facts))})

    def counts(name, value, at):
        was, known[name] = known[name][0], [value, None, 0]
        if takes(v["from"], was) and takes(v["to"], value):
            if not opened:
                tell("level" if v["to"] else "occurrence", at, "ok", "warn", was, value, name)
            if v["to"]:
                opened.add(name)

    def waits(name):
        f = known.get(name)
        return f and f[1] and takes(v["from"], f[0]) and takes(v["to"], f[1][0])

    def pends(at):
        want = bool(v["to"] and not opened and any(waits(name) for name in v["fields"]))
        if want != told_pending[0] and (want or not opened):
            tell("pending", at, "ok", "warn" if want else "ok")
        told_pending[0] = want

    def walk(until, inclusive):
        while True:
            due = min((f[2] + v["hold"] for f in known.values() if f[1]), default=None)
            if due is None or due > until or (due == until and not inclusive):
                return
            for name in v["fields"]:
                if name in known and known[name][1] and known[name][2] + v["hold"] <= due:
                    counts(name, known[name][1][0], due)
            pends(due)

    for event in (e for e in events if e.fields["kind"] in v["inputs"]):
        now = max(event.time, event.clock or 0)
        if newest is not None and event.time < newest:
            continue  # late
        walk(now, False)
        newest = event.time
        for name in [name for name in v["fields"] if name in event.fields]:
            value, f = event.fields[name], known.get(name)
            if f is None:
                known[name] = [value, None, 0]
            elif equal(value, f[0]):
                f[1] = None
            elif name in opened:
                known[name] = [value, None, 0]
                if not takes(v["to"], value):
                    opened.discard(name)
                    if not opened:
                        tell("level", now, "warn", "ok", f[0], value, name)
            else:
                keep = f[1] and (equal(f[1][0], value) or (v["to"] and waits(name) and takes(v["to"], value)))
                f[1], f[2] = [value], f[2] if keep else event.time
                if v["hold"] == 0 or f[2] + v["hold"] < now:
                    counts(name, value, now)
        pends(now)
    walk(end, True)
    return out
