# SPDX-License-Identifier: Apache-2.0
"""Zones whose hosts have errors, all at once at times: what models/storm.py judges."""
TIME, VARIANTS, KINDS, NEVER, NAMES = "ts", 30, ("notification",), 10**15, ["ok", "info", "warn", "crit"]


def RULES(rng):
    v = {"max": rng.choice([0, 1, 2, 3]), "per": rng.choice([5000, 12_000, 20_000]), "drop": rng.random() < 0.25,
         "changes": rng.random() < 0.3, "remind": rng.choice([NEVER, NEVER, 6000, 10_000])}
    said = [f'remind = "{v["remind"]}ms"'] * (v["remind"] < NEVER) + ['notify = "changes"'] * v["changes"]
    said.append(f'storm = {{ by = {{ "k" }}, max = {v["max"]}, per = "{v["per"]}ms", rest = "{"drop" if v["drop"] else "summary"}" }}')
    v["text"] = f'''rule "model/storm" {{
  key = {{ "k", "h" }}, clock = {{ time = "ts", idle = "1h" }}, inputs = {{ ev = from "events" {{}} }},
  detect = level {{ of = last("ev", "v"), info = {{ at_least = 1 }}, warn = {{ at_least = 2 }}, crit = {{ at_least = 3 }} }},
  alert = incident {{ id = "${{k}}-${{h}}", {", ".join(said)} }},
}}'''
    return v


def events(rng, key):
    time = rng.randint(0, 60) * 500
    for _ in range(rng.randint(2, 40)):
        time += rng.choice([500, 500, 500, 1000, 2000, 5000, 15_000])
        yield time, "events", {"ts": time, "h": rng.choice(["h1", "h2", "h3", "h4"]), "v": rng.choice([0, 0, 1, 2, 3])}
