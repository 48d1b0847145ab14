# SPDX-License-Identifier: Apache-2.0
"""Zones whose hosts have errors, and outages that explain them: what models/group.py judges."""
TIME, VARIANTS, KINDS, NEVER, NAMES = "ts", 40, ("notification",), 10**15, ["ok", "info", "warn", "crit"]


def RULES(rng):
    v = {"inhibited": rng.random() < 0.7, "hold": rng.choice([0, 2000, 5000]), "wait": rng.choice([0, 3000, 10_000]),
         "interval": rng.choice([5000, 12_000]), "remind": rng.choice([NEVER, NEVER, 9000])}
    v["hold"] *= v["inhibited"]
    by = f'inhibited_by = {{ rule = "model/az", equal = {{ "k" }}, wait = "{v["hold"]}ms" }},' if v["inhibited"] else ""
    remind = f'remind = "{v["remind"]}ms",' if v["remind"] < NEVER else ""
    v["text"] = "".join(
        f'''rule "model/{name}" {{ key = {{ {key} }}, clock = {{ time = "ts", idle = "1h" }},
  inputs = {{ ev = from "events" {{ h = {host} }} }}, alert = incident {{ id = "{label}", {said} }},
  detect = level {{ of = last("ev", "v"), info = {{ at_least = 1 }}, warn = {{ at_least = 2 }}, crit = {{ at_least = 3 }} }} }}
''' for name, key, host, label, said in (("az", '"k"', '"az"', "az:${k}", ""), (
            "group", '"k", "h"', 'except "az"', "${k}-${h}", f'{by} {remind} group = {{ by = {{ "k" }}, wait = "{v["wait"]}ms", '
            f'interval = "{v["interval"]}ms" }}')))
    return v


def events(rng, key):
    time = rng.randint(0, 60) * 500
    for n in range(rng.randint(2, 30)):
        time += rng.choice([500, 500, 1000, 2000, 4000, 9000])
        h = rng.choice(["az", "h1", "h1", "h2", "h3"])
        yield time, "events", {"ts": time, "h": h, "v": rng.choice([0, 0, 3] if h == "az" else [0, 0, 1, 2, 3])}
