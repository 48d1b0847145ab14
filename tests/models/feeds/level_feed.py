# SPDX-License-Identifier: Apache-2.0
"""Levels of every kind of bound over a sliding window or the newest value, and random events for them: what
models/level.py judges."""
TIME, VARIANTS, OVER = "ts", 60, 10_000
ANY = 10**9  # no bound on this side
KINDS = ("level", "pending")
OF = {"count": 'count "ev", over = "10s"', "max": 'max("ev", "v"), over = "10s"', "last": 'last("ev", "v")'}
BOUNDS = ["above", "at_least", "below", "at_most", "outside", "between"]


def level(rng):
    """Fires while low < x < high (or not outside of it), each bound itself in or out."""
    how, low, high = rng.choice(BOUNDS), rng.randint(1, 4), rng.randint(5, 8)
    s = {"how": how, "low": low, "high": high, "clear": (-ANY, ANY), "hold": rng.choice([0, 0, 1000, 4000]),
         "clear_hold": rng.choice([0, 0, 1000, 3000])}
    bound = {"outside": f"outside = {{ {low}, {high} }}", "between": f"above = {low}, below = {high}"}
    said = [bound.get(how) or f"{how} = {low if how in ('above', 'at_least') else high}"]
    if rng.random() < 0.5 and how != "between":
        s["clear"] = {"above": (-ANY, low - 1), "at_least": (-ANY, low - 1), "below": (high + 1, ANY),
                      "at_most": (high + 1, ANY), "outside": (low + 1, high - 1)}[how]
        ends = [str(end) for end in s["clear"] if abs(end) != ANY]
        said.append("clear = " + (ends[0] if len(ends) == 1 else f"{{ {', '.join(ends)} }}"))
    said += [f'{name} = "{s[name]}ms"' for name in ("hold", "clear_hold") if s[name]]
    return s, "{ " + ", ".join(said) + " }"


def RULES(rng):
    v = {"of": rng.choice(list(OF)), "after": rng.choice([0, 0, 3000, 12_000]), "at": rng.random() < 0.2,
         "be": rng.choice(["ok", "keep", "unknown", "alert"]), "min": 0, "full": False, "levels": {}}
    options = [f'of = {OF[v["of"]]}']
    if v["of"] != "last":
        v["min"], v["full"] = rng.choice([0, 0, 2]), rng.random() < 0.2
    options += [f'min = {v["min"]}'] * (v["min"] > 0) + ["full = true"] * v["full"] + ['at = "tick"'] * v["at"]
    if v["after"]:
        options.append(f'nodata = {{ after = "{v["after"]}ms", be = "{v["be"]}" }}')
    for name in sorted(rng.sample(["info", "warn", "crit"], rng.choice([1, 1, 2, 3]))):
        v["levels"][name], said = level(rng)
        options.append(f"{name} = {said}")
    v["text"] = f'''rule "model/level" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "1h" }}, alert = incident {{}},
  inputs = {{ ev = from "events" {{ kind = "ev" }}, tick = from "events" {{ kind = "tick" }} }},
  detect = level {{ {", ".join(options)} }},
}}'''
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 25)):
        at += rng.choice([0, 100, 500, 1000, 1000, 2000, 3000, 5000, 10_000])
        ago = rng.choice([0, 0, 0, 1000, 9_000, 10_000, 15_000])
        yield at, "events", {"ts": max(0, at - ago), "kind": rng.choice(["ev"] * 4 + ["tick"]), "v": rng.randint(0, 9)}
