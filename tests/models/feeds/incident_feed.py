# SPDX-License-Identifier: Apache-2.0
"""Rules with one incident a key, and random events for them: what models/incident.py judges."""
TIME, VARIANTS, KINDS, NEVER = "ts", 60, ("notification",), 10**15
LEVEL = 'level { of = last("ev", "v"), info = { at_least = 1 }, warn = { at_least = 2 }, crit = { at_least = 3 } }'
HANDLER = '''handler { on_event = function(e, ctx)
    if ctx.input ~= "ev" then return end
    if e.v == 0 then ctx.resolve() else ctx.fire { severity = ({ "info", "warn", "crit" })[e.v] } end end }'''


def RULES(rng):
    v = {"occurs": rng.random() < 0.5, "notify": rng.choice(["up", "changes", "first"]), "told": rng.random() < 0.9,
         "remind": rng.choice([NEVER, NEVER, 7000, 20_000]), "flap": rng.choice([None, (2, 15_000, 0), (3, 20_000, 4000)]),
         "on": rng.random() < 0.4, "after": NEVER, "first": False, "active": rng.random() < 0.2}
    resolve = ['on = "over"'] * v["on"]
    if v["occurs"]:
        v["after"], v["first"] = rng.choice([(9000, False), (16_000, True), (NEVER, False)])
        resolve.append("after = " + ("false" if v["after"] == NEVER else f'"{v["after"]}ms"') + ', from = "first"' * v["first"])
    said = [f'notify = "{v["notify"]}"'] + ["resolved = false"] * (not v["told"]) + [f"resolve = {{ {', '.join(resolve)} }}"] * bool(resolve)
    said += [f'remind = "{v["remind"]}ms"'] * (v["remind"] < NEVER) + ['active = { hours = "00:01-00:02" }'] * v["active"]
    if v["flap"]:
        calm = f', calm = "{v["flap"][2]}ms"' if v["flap"][2] else ""
        said.append(f'flap = {{ max = {v["flap"][0]}, within = "{v["flap"][1]}ms"{calm} }}')
    v["text"] = f'''rule "model/incident" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, inputs = {{ ev = from "events" {{ to = "ev" }}, over = from "events" {{ to = "over" }} }},
  detect = {HANDLER if v["occurs"] else LEVEL},
  alert = incident {{ {", ".join(said)} }},
}}'''
    return v


def events(rng, key):
    time, silences = rng.randint(0, 60) * 500, rng.random() < 0.4
    for n in range(rng.randint(1, 30)):
        time += rng.choice([500, 1000, 1000, 3000, 7000, 9000, 15_000])
        if silences and rng.random() < 0.15:
            start = time + rng.choice([0, 0, 2000])
            yield time, "@do", {"do": "silence", "id": f"{key}-{n}", "match": {"k": key}, "from": start,
                                "until": start + rng.choice([500, 7000, 30_000]), "by": "sre", "comment": "", "k": key}
        else:
            yield time, "events", {"ts": time, "to": rng.choice(["ev"] * 9 + ["over"]), "v": rng.choice([0, 0, 1, 2, 3])}
