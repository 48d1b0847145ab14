#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inside the stated wait no order of inhibitor and inhibited pages wrongly.

    inhibit.py [--seeds N] [--first N] [--seed N] [--jobs N] [--tidewatch FILE]

Each seed is some zones with outages, and hosts with errors; the rule of the errors is inhibited by that of the
outages in the same zone, with a random wait, and perhaps grouped. Of each error it is known beforehand what must become of it:

    explained   begins at most `wait` before an outage or while one lasts, and ends no later than it: never told
    alone       has nothing to do with an outage, and lasts longer than the wait: told and resolved, once each
    outlives    is explained, but goes on when the outage is over: told then or, if that is later, when the wait is, and resolved
    brief       alone, but shorter than the wait: never told

Each world runs undisturbed and with the disturbances of outcome.py (order, lanes, restarts, reloads, ticks); the
rules may read streams whose clocks differ. Every run must tell just that, and the same.
"""
import json
import random
import sys

import outcome

SECOND = 1000


class World:
    """As outcome.py wants it: seed, text, events, lateness, dedup, detector."""

    def __init__(self, seed, only=None):
        self.seed, self.detector, self.dedup = seed, "inhibited", False
        self.rng = random.Random(f"inhibit {seed}")
        self.wait = self.rng.choice([0, 4, 10, 20]) * SECOND
        self.lateness = self.rng.choice([0, 5000, 20_000, 60_000])
        self.group = self.rng.choice([None, None, 0, 6 * SECOND])
        self.same_stream = self.rng.random() < 0.5
        self.by_rule = self.rng.random() < 0.7
        self.steps, self.fates = [], {}
        for zone in ("z1", "z2", "z3")[:self.rng.randint(1, 3)]:
            self.zone(zone)
        self.steps.sort(key=lambda step: step[0])
        self.events = [self.event(number, *step) for number, step in enumerate(self.steps)]
        self.text = self.rules()

    def zone(self, zone):
        """One episode after another, so far apart that none meets the next."""
        at = self.rng.randint(5, 60) * SECOND
        apart = 2 * self.wait + (self.group or 0) + 40 * SECOND
        while True:
            lasts = self.rng.randint(5, 50) * SECOND
            if at + lasts + apart > 400 * SECOND:
                return
            alone = self.rng.random() < 0.4
            if not alone:
                self.steps += [(at, zone, "az", 3), (at + lasts, zone, "az", 0)]
            for host in self.rng.sample(["h1", "h2", "h3"], self.rng.randint(1, 3)):
                self.error(zone, host, alone, at, at + lasts)
            at += lasts + apart + self.rng.randint(0, 60) * SECOND

    def error(self, zone, host, alone, start, stop):
        fate = self.rng.choice(["alone", "alone", "brief"]) if alone else self.rng.choice(["explained"] * 3 + ["outlives"])
        begins = start if alone else start + self.rng.randrange(-self.wait, min(self.wait, stop - start) + 1, 500)
        if fate == "outlives" and begins + self.wait > stop and self.group is not None:
            fate = "explained"  # when the wait is over the next turn of the group may be far
        stop = max(stop, begins + self.wait) if fate == "outlives" else stop
        if fate == "brief" and self.wait > SECOND:
            ends = begins + self.rng.randrange(500, self.wait, 500)
        elif alone:
            fate, ends = "alone", begins + self.wait + (self.group or 0) + self.rng.randint(1, 20) * SECOND
        elif fate == "outlives":
            ends = stop + (self.group or 0) + self.rng.randint(1, 15) * SECOND
        else:
            ends = max(begins, stop - self.rng.choice([0, 0, 500, 3000]))
            if ends == begins:
                return
        self.steps += [(begins, zone, host, 3), (ends, zone, host, 0)]
        self.fates.setdefault(f"{zone}-{host}", []).append((fate, begins, stop, ends))

    def event(self, number, time, zone, host, value):
        """An outage that begins or ends at one instant with an error may come before or after it."""
        stream = f"{'a' if host == 'az' or self.same_stream else 'b'}-{self.seed}"
        return time, stream, 0, {"z": zone, "h": host, "v": value, "id": number}

    def rules(self):
        clock = f'clock = {{ time = "ts", lateness = "{self.lateness}ms" }}'
        by = f'rule = "w/{self.seed}-2"' if self.by_rule else f'match = {{ world = "{self.seed}", what = "outage" }}'
        group = f'group = {{ by = {{ "z" }}, wait = "{self.group}ms", interval = "15s" }}, ' if self.group is not None else ""
        errors = "a" if self.same_stream else "b"
        return f'''rule "w/{self.seed}" {{
  key = {{ "h", "z" }}, {clock}, doc = "@M@",
  inputs = {{ ev = from "{errors}-{self.seed}" {{ h = except "az" }} }},
  detect = level {{ of = last("ev", "v"), crit = {{ at_least = 3 }} }},
  alert = incident {{ id = "{self.seed}-${{z}}-${{h}}", title = "@M@", {group}inhibited_by = {{ {by}, equal = {{ "z" }}, wait = "{self.wait}ms" }} }},
}}
rule "w/{self.seed}-2" {{
  key = {{ "z" }}, {clock},
  inputs = {{ ev = from "a-{self.seed}" {{ h = "az" }} }},
  detect = level {{ of = last("ev", "v"), crit = {{ at_least = 3 }} }},
  alert = incident {{ id = "{self.seed}-${{z}}", labels = {{ world = "{self.seed}", what = "outage" }} }},
}}
'''

    def wrong(self, lines):
        """What was told wrongly, as text; None: nothing."""
        told = [line for line in map(json.loads, lines) if line["type"] == "notification"]
        for name, fates in self.fates.items():
            incident = f"{self.seed}-{name}"
            pages = sorted(self.pages(told, incident))
            wanted = sorted((begins if fate == "alone" else stop, ends) for fate, begins, stop, ends in fates
                            if fate in ("alone", "outlives"))
            if len(pages) != len(wanted) or not all(
                    begins <= at <= ends for at, (begins, ends) in zip(pages, wanted)):
                return f"{incident} is paged at {pages}, but should be in {wanted} of {fates}"
            if self.group is None:
                resolved = [line["at"] for line in told if line["incident"] == incident and line["status"] == "resolved"]
                if sorted(resolved) != [ends for _, ends in wanted]:
                    return f"{incident} is resolved at {resolved}, not {wanted}"
        return None

    def pages(self, told, incident):
        """When it is told that it fires: by itself, or as a member that the group did not list before."""
        listed = set()
        for line in told:
            if line["incident"] == incident and line["status"] == "firing":
                yield line["at"]
            for member in (line.get("group") or {}).get("firing", ()):
                if member["incident"] == incident and member["since"] not in listed:
                    listed.add(member["since"])
                    yield line["at"]


def check_batch(arguments, worlds, runs):
    bad, pages = [], outcome.collections.Counter()
    for run in [outcome.PLAIN, *runs]:
        found = outcome.replay(arguments, worlds, run)
        base = found if run is outcome.PLAIN else base
        for world in worlds:
            pages["lines"] += len(found[world.seed])
            wrong = world.wrong(found[world.seed])
            if wrong is None and found[world.seed] == base[world.seed] or world.seed in bad:
                continue
            bad.append(world.seed)
            if len(bad) <= arguments.show:
                print(f"seed {world.seed}, {run}\n{wrong or 'what leaves differs'}\n{world.text}")
                print(*(f"{time:>7} {stream} {fields}" for time, stream, _, fields in world.events), sep="\n")
                if found[world.seed] != base[world.seed]:
                    outcome.show_difference(base[world.seed], found[world.seed])
                print(*found[world.seed], sep="\n")
    return bad, pages


if __name__ == "__main__":
    sys.exit(outcome.main(__doc__.splitlines()[0], World, check_batch, ["lines"]))
