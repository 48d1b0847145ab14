#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges a detector by a model that was written without it.

    judge.py MODEL [--tidewatch FILE] [--seeds N] [--first N] [--show N]

MODEL is a file NAME.py beside this one, of at most a hundred lines of code (tools/check models):

    RULES     a list of variants, or a function of a random.Random that makes one. A variant is the
              text of a rule file, or a dict with that text as "text" and whatever judge() wants to know.
              The rule has key = { "k" }.
    VARIANTS  how many to make when RULES is a function (8)
    TIME      the rule's `clock.time`, a field of milliseconds; without it the arrival is the time. Such a
              rule wants idle = "1h" in its clock: else a pause of some seconds moves its clock, too
    KINDS     the kinds of signals to compare (level, occurrence, resolve; not pending), or instead of signals
              "event": what the rule emits, or "notification": what is told. Those must hold the key: an event as
              its field k, a notification as its label
    events(rng, key)              the key's events in order of arrival: (arrival_ms, stream, fields); what a person does
                                  has the stream "@do": {"do": "silence", ...} with times from START, too
    judge(variant, events, end)   the signals they must lead to, in order: dicts of members to compare
                                  ("at", "kind", "level", "values", ...; None: the member is absent). end
                                  is the newest time of the whole replay: deadlines up to it still fire.
    judge_all(variant, events, end)   instead of judge, where keys are not each for itself: the events by key, those of
                                  all under None; what they lead to by key, too (None: what has none)
    tables(variant, keys)         the rows of tables that the rule reads, {table: {key: {column: text}}}

Times count from a midnight (START), both those of events and those of signals. An event comes to judge() as
an Event. Each seed is one key; the keys of a variant go through one replay,
their events interleaved, so all of them share the rule's clock. The same replay on 1 and 4 lanes must
give the same bytes as on none.
"""
import argparse
import collections
import glob
import heapq
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

START = 19675 * 86_400_000  # a midnight: a small number would be taken for seconds
TIMES = ("at", "start", "stop", "first_ms", "last_ms", "time", "from", "until")

# at: arrival. time: as the rule takes it. clock: before the event came, the lowest of the streams seen so
# far, each at its highest time, without `lateness`; None: nothing had come yet.
Event = collections.namedtuple("Event", "at stream fields time clock")


def load(path):
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def variants_of(model, name):
    if not callable(model.RULES):
        return list(model.RULES)
    return [model.RULES(random.Random(f"{name} rule {n}"))
            for n in range(getattr(model, "VARIANTS", 8))]


def text_of(variant):
    return variant if isinstance(variant, str) else variant["text"]


def feed_of(model, name, seeds):
    """The lines of one replay, the events of each key (None: of all), and the newest time."""
    keys = {f"k{seed}": [(at, stream, dict(fields, k=f"k{seed}")) for at, stream, fields in
                         model.events(random.Random(f"{name} {seed}"), f"k{seed}")]
            for seed in seeds}
    field = getattr(model, "TIME", None)
    events = {key: [] for key in [*keys, None]}
    highest, lines, clock = {}, [], None
    last = max((at for some in keys.values() for at, stream, _ in some if stream != "@do"), default=0)
    for at, stream, fields in heapq.merge(*keys.values(), key=lambda event: event[0]):
        if stream == "@do":
            if at > last:
                continue  # no clock comes there any more
            events[fields["k"]].append(Event(at, stream, fields, at, clock))
            events[None].append(events[fields["k"]][-1])
            lines.append(json.dumps(dict(from_start(fields, START), at=at + START)))
            continue
        time = fields.get(field, at) if field else at
        if highest:
            clock = max(min(highest.values()), clock or 0)  # it never goes back
        events[fields["k"]].append(Event(at, stream, fields, time, clock))
        events[None].append(events[fields["k"]][-1])
        highest[stream] = max(highest.get(stream, time), time)
        told = dict(fields, **{field: time + START}) if field in fields else fields
        lines.append(json.dumps({"at": at + START, "stream": stream, "event": told}))
    return lines, events, max(highest.values(), default=0)


def write_rule(folder, model, variant, text, keys):
    with open(folder + "/rule.lua", "w") as file:
        file.write(text)
    for name, rows in model.tables(variant, keys).items() if hasattr(model, "tables") else ():
        with open(f"{folder}/{name}.json", "w") as file:
            json.dump(rows, file)


def replay(tidewatch, folder, lanes):
    tables = [f"--table={os.path.basename(path)[:-5]}={path}" for path in glob.glob(folder + "/*.json")]
    done = subprocess.run([tidewatch, "replay", "--signals", "--rules", folder + "/rule.lua", "--input",
                           folder + "/input.ndjson", "--lanes", str(lanes)] + tables, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"replay on {lanes} lanes ended with {done.returncode}:\n{done.stderr.decode()}")
    return done.stdout


def from_start(part, start):
    """Its times moved by so much."""
    return {name: value + start if name in TIMES and isinstance(value, int) else value for name, value in part.items()}


def count_from_start(signal):
    for name in "roles", "event":
        if isinstance(signal.get(name), dict):
            signal[name] = from_start({key: from_start(part, -START) if isinstance(part, dict) else part
                                       for key, part in signal[name].items()}, -START)
    return from_start(signal, -START)


def key_of(line):
    for name in "key", "event", "labels":
        if name in line:
            return line[name].get("k")
    return None


def signals_of(output, kinds):
    found = collections.defaultdict(list)
    for line in output.splitlines():
        signal = json.loads(line)
        if signal.get("kind", signal["type"]) in kinds:
            found[key_of(signal)].append(count_from_start(signal))
    return found


def same(want, got):
    if isinstance(want, dict):
        return isinstance(got, dict) and all(same(v, got.get(name)) for name, v in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and agree(want, got)
    if isinstance(want, float) or isinstance(got, float):
        both = isinstance(want, (int, float)) and isinstance(got, (int, float))
        return both and abs(want - got) <= 1e-9 * max(1.0, abs(want), abs(got))
    return want == got


def agree(want, got):
    return len(want) == len(got) and all(map(same, want, got))


def show(variant, key, events, want, got):
    print(text_of(variant))
    print(f"seed {key[1:] if key else '- (no key)'}, events (arrival, stream, fields; clock before):")
    for event in events:
        print(f"  {event.at:>8} {event.stream} {json.dumps(event.fields)}; {event.clock}")
    for title, outcome in ("the model expects", want), ("the detector told", got):
        print(title + ":")
        for n, signal in enumerate(outcome):
            other = (got if outcome is want else want)[n:n + 1]
            agreed = other and (same(signal, other[0]) if outcome is want else same(other[0], signal))
            print(" " if agreed else "!", json.dumps(signal))


def judge_variant(model, name, variant, seeds, arguments):
    lines, events, end = feed_of(model, name, seeds)
    kinds = getattr(model, "KINDS", ("level", "occurrence", "resolve"))
    with tempfile.TemporaryDirectory() as folder:
        write_rule(folder, model, variant, text_of(variant), [f"k{seed}" for seed in seeds])
        with open(folder + "/input.ndjson", "w") as file:
            file.write("\n".join(lines) + "\n")
        output = replay(arguments.tidewatch, folder, 0)
        for lanes in 1, 4:
            if replay(arguments.tidewatch, folder, lanes) != output:
                print(f"{text_of(variant)}\non {lanes} lanes the output differs from that on none")
                return None
    found = signals_of(output, kinds)
    if hasattr(model, "judge_all"):
        wanted, keys = model.judge_all(variant, events, end), [*events, *sorted(set(found) - set(events))]
    else:
        keys = [f"k{seed}" for seed in seeds]
        wanted = {key: model.judge(variant, events[key], end) for key in keys}
    told = 0
    for key in keys:
        want, got = wanted.get(key, []), found[key]
        if key == f"k{arguments.show}":
            show(variant, key, events[key], want, got)
        if not agree(want, got):
            print(f"{name}: model and detector differ")
            show(variant, key, events.get(key, []), want, got)
            return None
        told += len(got)
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--tidewatch", default=os.path.join(ROOT, "build/dev/tidewatch"))
    parser.add_argument("--seeds", type=int, default=2000, help="how many keys, over all variants")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--show", type=int, help="print what becomes of this seed")
    arguments = parser.parse_args()
    name = os.path.splitext(os.path.basename(arguments.model))[0]
    model = load(os.path.join(HERE, name + ".py"))
    variants = variants_of(model, name)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    told = silent = 0
    for number, variant in enumerate(variants):
        own = [seed for seed in seeds if seed % len(variants) == number]
        count = judge_variant(model, name, variant, own, arguments) if own else 0
        if count is None:
            return 1
        told += count
        silent += count == 0
    print(f"{name}: {len(seeds)} seeds, {len(variants)} variants, {told} signals, no difference")
    if silent > len(variants) // 4 and len(seeds) > 20 * len(variants):
        print(f"yet {silent} variants had not one signal: this shows too little")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
