# SPDX-License-Identifier: Apache-2.0
"""Random sequences, and random events for them: what models/seq.py judges."""
VARIANTS, TIME, FOREVER = 60, "ts", 10 ** 15


def RULES(rng):
    steps = []
    for n in range(rng.randint(2, 4)):
        least = rng.choice([1, 1, 1, 2])
        most = rng.choice([least, least, 99]) if n else least
        inputs = [rng.choice("abc")] if rng.random() < .7 else ["a", "c"]
        if n and rng.random() < .2 and not all(s["optional"] for s in steps):
            steps.append({"absent": "x", "strict": rng.random() < .4, "optional": False})
        elif n and rng.random() < .15 and not all(s["optional"] for s in steps):
            steps.append({"absent": "x", "lasting": 1500, "optional": False})
        steps.append({"any": inputs, "least": least, "most": most, "run": most > 1 and rng.random() < .3,
                      "strict": n > 0 and rng.random() < .2, "optional": rng.random() < .2,
                      "within": 3000 if rng.random() < .3 and (n or most > 1) else FOREVER,
                      "where": n > 0 and rng.random() < .2 and not steps[0]["optional"]})
    steps[-1]["optional"] = False
    if rng.random() < .3:
        steps.append({"absent": "x", "lasting": 2000, "optional": False})
    v = {"steps": steps, "overlap": rng.choice(["newest", "oldest", "every", "past_last"]),
         "stop": rng.random() < .3, "emit": rng.random() < .5, "within": rng.choice([8000, 20_000])}
    v["text"] = '''rule "model/seq" {
  key = { "k" }, clock = { time = "ts" }, inputs = { %s },
  detect = seq { %s, overlap = "%s", within = "%dms"%s%s },
  alert = incident {},
}''' % (", ".join(f'{i} = from "events" {{ kind = "{i}" }}' for i in "abcxz"),
        ", ".join(lua(n, s, steps[0].get("most", 1) > 1) for n, s in enumerate(steps)), v["overlap"], v["within"],
        ', stop_on = "z"' if v["stop"] else "", ', on_timeout = "emit"' if v["emit"] else "")
    return v


def lua(n, s, listed):
    flags = "".join(f", {name} = true" for name in ("strict", "run", "optional") if s.get(name))
    if "absent" in s:
        return '{ absent = "x"%s%s }' % (', lasting = "%dms"' % s["lasting"] if "lasting" in s else "", flags)
    counts = f'times = {s["least"]}' if s["least"] == s["most"] else f'at_least = {s["least"]}, at_most = 99'
    return '{ any = { "%s" }, as = "s%d", %s%s%s%s }' % (
        '", "'.join(s["any"]), n, counts, flags, f', within = "{s["within"]}ms"' if s["within"] < FOREVER else "",
        f', where = function(e, m) return e.v == m.s0{".first" if listed else ""}.v end' if s["where"] else "")


def events(rng, key):
    at = rng.randint(0, 5_000)
    for _ in range(rng.randint(10, 60)):
        at += rng.choice([0, 0, 100, 300, 500, 1000, 1500, 3000])
        yield at, "events", {"kind": rng.choice("aaaabbbcccxz"), "v": rng.choice([1, 1, 2]),
                             "ts": max(0, at - rng.choice([0, 0, 0, 0, 200, 1500]))}
