#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Arrival order must not matter inside `lateness`, nor lanes.

    order.py [MODEL...] [--tidewatch FILE] [--seeds N] [--first N]

Takes the rules and events of the models (all of them, or those named), gives each rule a `lateness` and
replays the same events three times: in order of event time, each delayed by chance within the lateness, and
in the order of the most delayed. Every key must be told the same each time, at the same times; each replay
must give the same bytes on 0, 1 and 4 lanes. What comes behind the lateness is not promised anything.
"""
import argparse
import glob
import json
import os
import random
import re
import sys
import tempfile

import judge

LATENESS = 30_000


def with_lateness(text):
    """The rule with the field `ts` for its clock and a lateness, whatever it said before."""
    clock = 'clock = { time = "ts", lateness = "%dms" },' % LATENESS
    text, replaced = re.subn(r"clock\s*=\s*\{[^}]*\}\s*,", clock, text)
    return text if replaced else re.sub(r'key\s*=\s*\{\s*"k"\s*\},', r"\g<0> " + clock, text)


def timed_events(model, name, seed):
    """(time, number, stream, fields) of one key, in order of time."""
    field = getattr(model, "TIME", None)
    rng = random.Random(f"{name} {seed}")
    found = []
    for number, (at, stream, fields) in enumerate(model.events(rng, f"k{seed}")):
        if stream == "@do":  # what a person does has its time by the wall
            continue
        time = fields.get(field, at) if field else at
        found.append((time, number, stream, {key: value for key, value in fields.items() if key != field}))
    found.sort(key=lambda event: event[:2])
    last, apart = -1, []
    for time, number, stream, fields in found:
        last = max(time, last + 1)  # events of one instant are judged as they lie in the log
        apart.append((last, number, stream, fields))
    return apart


def feeds_of(keys, seed):
    """Three orders of arrival of the same events. The first is always the same: a rule begins with it."""
    rng = random.Random(f"order {seed}")
    every = [(time, k, stream, fields) for k, events in keys.items() for time, _, stream, fields in events]
    late, first = LATENESS, min((time for time, *_ in every), default=0)
    in_order = [(time, time, k, stream, fields) for time, k, stream, fields in every]
    delayed = [(time + rng.randint(0, late) * (time > first), time, *rest) for time, *rest in every]
    worst = [(time + rng.choice([0, late]) * (time > first), time, *rest) for time, *rest in every]
    return [sorted(feed, key=lambda e: (e[0], e[1], e[2])) for feed in (in_order, delayed, worst)]


def lines_of(feed):
    start = judge.START
    return [json.dumps({"at": at + start, "stream": stream, "event": dict(fields, k=k, ts=time + start)})
            for at, time, k, stream, fields in feed]


def told_of(output, kinds):
    found = judge.signals_of(output, kinds)
    for signals in found.values():
        for signal in signals:
            signal.pop("seq", None)  # the number of the line
            signal.pop("evidence", None)  # offsets
    return found


def check_variant(model, name, variant, seeds, arguments):
    text = with_lateness(judge.text_of(variant))
    kinds = getattr(model, "KINDS", ("level", "occurrence", "resolve"))
    keys = {f"k{seed}": timed_events(model, name, seed) for seed in seeds}
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        judge.write_rule(folder, model, variant, text, list(keys))
        for feed in feeds_of(keys, seeds[0]):
            with open(folder + "/input.ndjson", "w") as file:
                file.write("\n".join(lines_of(feed)) + "\n")
            outputs = [judge.replay(arguments.tidewatch, folder, lanes) for lanes in (0, 1, 4)]
            if len(set(outputs)) > 1:
                print(f"{text}\nthe output depends on the lanes")
                return None
            outcomes.append(told_of(outputs[0], kinds))
    for title, outcome in zip(("delayed by chance", "delayed most"), outcomes[1:]):
        for k in keys:
            if outcome[k] != outcomes[0][k]:
                print(f"{text}\n{name}: {k} is told something else when {title}")
                for time, _, stream, fields in keys[k]:
                    print(f"  {time:>9} {stream} {json.dumps(fields)}")
                print("in order:", *map(json.dumps, outcomes[0][k]), sep="\n  ")
                print(f"{title}:", *map(json.dumps, outcome[k]), sep="\n  ")
                return None
    return sum(map(len, outcomes[0].values()))


def check_model(path, arguments):
    name = os.path.splitext(os.path.basename(path))[0]
    model = judge.load(path)
    variants = judge.variants_of(model, name)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    told = 0
    for number, variant in enumerate(variants):
        own = [seed for seed in seeds if seed % len(variants) == number]
        count = check_variant(model, name, variant, own, arguments) if own else 0
        if count is None:
            return False
        told += count
    print(f"{name}: {len(seeds)} seeds, {len(variants)} variants, {told} signals, the same in any order")
    return told > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--tidewatch", default=os.path.join(judge.ROOT, "build/dev/tidewatch"))
    parser.add_argument("--seeds", type=int, default=2000, help="of each model")
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.models or sorted(
        os.path.splitext(os.path.basename(path))[0] for path in glob.glob(judge.HERE + "/*.py"))
    paths = [os.path.join(judge.HERE, name + ".py") for name in names if name not in ("judge", "order")]
    return 0 if all([check_model(path, arguments) for path in paths]) else 1


if __name__ == "__main__":
    sys.exit(main())
