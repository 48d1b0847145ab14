#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What leaves must not depend on how the events came.

    outcome.py [--seeds N] [--first N] [--seed N] [--detector NAME] [--signals] [--jobs N] [--tidewatch FILE]

Each seed is a world (grammar.py): random rules on streams of their own, and random events. It runs once undisturbed,
events in order of their time, lanes 0; then several times disturbed, each time in several ways at once:

    order       each event comes up to `lateness` later: by chance, some of them, or all at either end
    duplicates  events come twice, the second time up to `lateness` after the first (rules with `dedup`)
    lanes       1 or 4 lane threads instead of none
    restarts    all state is written, thrown away and read back, at random instants
    reloads     rules are read anew with harmless edits at random instants: comments also in functions, other
                messages, rules in another order, rules added that read the same streams, and back
    ticks       the wall clock is looked at between events

Once more it runs with rules that people edit while events wait (editions.py), in order and on lanes 0; what leaves then
must not depend on lanes, restarts, harmless reloads and ticks either.

What leaves (notifications, emitted events, changes of incidents) must be the same, line by line. A seed that differs is
run alone and with single disturbances, and all of it is shown; --seed N does that for one. The worlds of
a batch share a process and the disturbances, so that thousands of seeds take a minute or two; for a long night:

    outcome.py --first 1000000 --seeds 200000
"""
import argparse
import collections
import json
import multiprocessing.pool
import os
import random
import re
import subprocess
import sys
import tempfile

import editions
import grammar

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
START = 19675 * 86_400_000  # a midnight
CUT = grammar.SPAN + 300_000  # what is told up to here is compared
ENDS = [CUT + minutes * 60_000 for minutes in (1, 3, 13, 14, 15, 16, 17, 18)]  # beyond every lateness and idle
BATCH = 40
EDITED_BATCH = 10  # no more than may be parked
RUNS = 4

INVENTORY = "host,on\nh1,yes\nh2,yes\nh3,no\nh5,yes\n"
NOBODYS = ('rule "x/nobodys" { key = {}, inputs = { ev = from "nobodys" {} }, detect = level { of = count "ev", over = "1m", '
           'crit = { above = 1 } }, alert = incident {} }\n')  # a file needs a rule
OWNERS = "host,team\nh1,blue\nh3,red\n"

Run = collections.namedtuple("Run", "name order duplicates lanes restarts reloads ticks edits holes")
PLAIN = Run("undisturbed", "in order", 0, 0, (), (), (), (), False)


# ---- disturbances ------------------------------------------------------------------------------

def instants(rng, most):
    return tuple(sorted(rng.choice([rng.randrange(CUT), 500 * rng.randrange(grammar.SPAN // 500)])
                        for _ in range(rng.randint(1, most))))


def runs_of(batch):
    """The disturbed runs of a batch, by its number alone."""
    rng = random.Random(f"disturb {batch}")
    orders = ["chance", "some", "ends"]
    yield PLAIN._replace(name="order", order=rng.choice(orders), duplicates=rng.choice([0.3, 1]), lanes=4)
    yield PLAIN._replace(name="restart and reload", lanes=rng.choice([0, 0, 1, 4]), restarts=instants(rng, 6), reloads=instants(rng, 6))
    for n in range(2, RUNS):
        yield PLAIN._replace(name=f"all, {n}", order=rng.choice(orders), duplicates=rng.choice([0, 0.3]), lanes=rng.choice([0, 0, 1, 4]),
                             restarts=instants(rng, 4), reloads=instants(rng, 4), ticks=instants(rng, 8))


def edited_run_of(batch):
    """What is parked over a restart comes back in its old shape only, so there is either the one or the other."""
    rng = random.Random(f"edit {batch}")
    holes = rng.random() < 0.7
    return PLAIN._replace(name="edited", lanes=rng.choice([1, 4, 4]), restarts=() if holes else instants(rng, 4),
                          reloads=rng.choice([(), instants(rng, 4)]), ticks=rng.choice([(), instants(rng, 8)]),
                          edits=instants(rng, 6), holes=holes)


def undisturbed(run):
    """What people do is no disturbance."""
    return PLAIN._replace(edits=run.edits, holes=run.holes)


def singly(run):
    """One run for each disturbance of a run."""
    for name in Run._fields[1:]:
        if getattr(run, name) != getattr(undisturbed(run), name):
            yield undisturbed(run)._replace(name=f"only {name}", **{name: getattr(run, name)})


def delay(rng, order, lateness):
    if order == "in order" or lateness == 0:
        return 0
    if order == "chance":
        return rng.randint(0, lateness)
    if order == "ends":
        return rng.choice([0, lateness])
    return rng.choice([0, 0, 0, 0, rng.randint(0, lateness)])


def arrivals_of(world, run):
    """(arrival, number of the event) of a world, in no order."""
    rng = random.Random(f"arrivals {world.seed} {run.name}")
    share = run.duplicates if world.dedup else 0
    begun = set()
    for number, (time, stream, _, _) in enumerate(world.events):
        # Before the first event of all, silence is counted by the wall.
        at = time + (delay(rng, run.order, world.lateness) if stream in begun else 0)
        begun.add(stream)
        yield at, number
        if rng.random() < share:
            yield at if world.lateness == 0 else rng.randint(at, time + world.lateness), number


# ---- files -------------------------------------------------------------------------------------

def extra_rules(world):
    """Rules that a reload adds; nobody compares what they say."""
    return "".join(f'rule "x/{world.seed}-{name}" {{ park = false, key = {{ "u" }}, inputs = {{ ev = from "{name}-{world.seed}" {{}} }}, '
                   f'detect = level {{ of = sum("ev", "v"), over = "1m", crit = {{ above = 20 }} }}, alert = incident {{}} }}\n'
                   for name in "ab")


def write_edition(folder, number, worlds, texts):
    """rules-NUMBER-0.lua, and what reloads read: each the same, harmlessly edited."""
    first = [text.replace("@M@", "M0") for text in texts]
    edited = ["-- edited\n\n" + text.replace("@M@", "M1") + extra_rules(world) for world, text in zip(worlds, texts)]
    again = [text.replace("@M@", "M22") for text in reversed(texts)]
    for harmless, some in enumerate((first, edited, again)):
        with open(f"{folder}/rules-{number}-{harmless}.lua", "w") as file:
            file.write("-- rules\n" + NOBODYS + "\n".join(some))


def write_rules(folder, worlds, run):
    of_worlds = [editions.editions_of(world, len(run.edits), run.holes) for world in worlds]
    for number, texts in enumerate(zip(*of_worlds)):
        write_edition(folder, number, worlds, texts)
    for name, text in ("inventory", INVENTORY), ("owners", OWNERS):
        with open(f"{folder}/{name}.csv", "w") as file:
            file.write(text)


def reload(folder, edition, harmless):
    return {"do": "reload", "rules": f"{folder}/rules-{edition}-{harmless}.lua"}


def feed_of(folder, worlds, run):
    """The lines of a replay, and which event each (stream, partition, offset) is."""
    lines = [(at, 1, seat, number) for seat, world in enumerate(worlds) for at, number in arrivals_of(world, run)]
    lines += [(at, 0, 0, {"do": "restart"}) for at in run.restarts]
    lines += [(at, 0, 1, reload(folder, n + 1, 0)) for n, at in enumerate(run.edits)]
    lines += [(at, 0, 2, reload(folder, sum(edit <= at for edit in run.edits), (n + 1) % 3)) for n, at in enumerate(run.reloads)]
    lines += [(at, 0, 3, {}) for at in (0, *run.ticks, *ENDS)]
    lines.sort(key=lambda line: line[:3] + ((line[3],) if line[1] else ()))  # stable: editions in their order
    text, offsets, events = [], collections.Counter(), {}
    for at, is_event, seat, what in lines:
        line = {"at": START + at}
        if is_event:
            time, stream, partition, fields = worlds[seat].events[what]
            line.update(stream=stream, partition=partition, event=dict(fields, ts=START + time))
            events[stream, partition, offsets[stream, partition]] = what
            offsets[stream, partition] += 1
        else:
            line.update(what)
        text.append(json.dumps(line))
    return "\n".join(text) + "\n", events


# ---- runs --------------------------------------------------------------------------------------

class Failed(Exception):
    pass


def seed_of(line):
    """None: it is not compared. Marks are looked at when they may matter, and do not leave."""
    if line.get("change") in ("inhibited", "uninhibited"):
        return None
    found = re.match(r"[we][/-](\d+)", line["stream"] if line["type"] == "event" else line.get("rule", ""))
    return int(found.group(1)) if found and line["type"] != "late" else None


def told(line, events):
    """A line of the output as it is compared: evidence by event, not by offset."""
    named = line.get("evidence", [])
    for one in named + [one["origin"] for one in named if "origin" in one]:
        offset = one.pop("offset", None)
        one["event"] = events.get((one["stream"], one.get("partition"), offset))
    line["at"] -= START
    return re.sub(r"\bM\d+\b", "M", json.dumps(line, sort_keys=True))


def in_order(lines):
    """As replay prints them; at one instant two incidents may come either way."""
    return [text for *_, text in sorted(lines, key=lambda line: line[:3])]


def replay(arguments, worlds, run):
    """What leaves of each seed."""
    with tempfile.TemporaryDirectory() as folder:
        write_rules(folder, worlds, run)
        text, events = feed_of(folder, worlds, run)
        with open(folder + "/input.ndjson", "w") as file:
            file.write(text)
        command = [arguments.tidewatch, "replay", "--all", "--rules", folder + "/rules-0-0.lua", "--input", folder + "/input.ndjson",
                   "--lanes", str(run.lanes), "--table", f"inventory={folder}/inventory.csv", "--table", f"owners={folder}/owners.csv"]
        command += ["--signals"] if arguments.signals else []
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{run}\nreplay ended with {done.returncode}:\n{done.stderr[-8000:]}")
    found = collections.defaultdict(list)
    for line in map(json.loads, done.stdout.splitlines()):
        seed = seed_of(line)
        if seed is not None and line["at"] <= START + CUT:
            found[seed].append((line["at"], line.get("rule", ""), line.get("incident", ""), told(line, events)))
    return {world.seed: in_order(found[world.seed]) for world in worlds}


# ---- differences -------------------------------------------------------------------------------

def first_difference(want, got):
    for n in range(max(len(want), len(got))):
        if want[n:n + 1] != got[n:n + 1]:
            return n
    return 0


def show_difference(want, got):
    n = first_difference(want, got)
    for title, lines in ("undisturbed:", want), ("disturbed:", got):
        print(title, *("  " + line for line in lines[max(0, n - 1):n + 3]), sep="\n")


def explain(arguments, world, run, want, got):
    """All that somebody needs who looks for the cause."""
    print(f"seed {world.seed}: what leaves differs.\n{world.text}{run}")
    show_difference(want, got)
    alone = replay(arguments, [world], undisturbed(run))[world.seed]
    if alone != want:
        print("alone, undisturbed, it is another thing already")
        show_difference(want, alone)
    if replay(arguments, [world], run)[world.seed] == alone:
        print("alone it does not differ")
    for single in singly(run):
        found = replay(arguments, [world], single)[world.seed]
        print(f"{single.name}: {'the same' if found == alone else 'differs'}")


def check_batch(arguments, worlds, runs):
    """(seeds that differ, lines of each detector, lines in all)"""
    bad, lines = [], collections.Counter()
    base = replay(arguments, worlds, undisturbed(runs[0]))
    for world in worlds:
        lines[world.detector] += len(base[world.seed])
    for run in runs:
        found = replay(arguments, worlds, run)
        for world in worlds:
            if found[world.seed] != base[world.seed] and world.seed not in bad:
                bad.append(world.seed)
                if len(bad) <= arguments.show:
                    explain(arguments, world, run, base[world.seed], found[world.seed])
    return bad, lines


def check_all(arguments, worlds, runs):
    bad, lines = check_batch(arguments, worlds, runs)
    run = edited_run_of(worlds[0].seed // BATCH)
    for n in range(0, len(worlds), EDITED_BATCH):
        edited, _ = check_batch(arguments, worlds[n:n + EDITED_BATCH], [run])
        bad += [seed for seed in edited if seed not in bad]
    return bad, lines


def check(arguments, batch, seeds):
    try:
        worlds = [arguments.world(seed, only=arguments.detector) for seed in seeds]
        return arguments.check(arguments, worlds, list(runs_of(batch)))
    except Failed as failure:
        print(f"seeds {seeds[0]} to {seeds[-1]}: {failure}")
        return list(seeds), {}


def show_seed(arguments):
    world = arguments.world(arguments.seed, only=arguments.detector)
    print(world.text)
    for time, stream, partition, fields in world.events:
        print(f"{time:>7} {stream} {partition} {json.dumps(fields)}")
    print(*replay(arguments, [world], PLAIN)[world.seed], sep="\n")
    bad, _ = check(arguments, arguments.seed // BATCH, [arguments.seed])
    return 1 if bad else 0


def arguments_of(title):
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--tidewatch", default=os.path.join(ROOT, "build/dev/tidewatch"))
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="one alone, and all of it shown")
    parser.add_argument("--detector", choices=list(grammar.DETECTORS), help="worlds of this one only")
    parser.add_argument("--signals", action="store_true", help="what detectors tell is compared, too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=1, help="how many of a batch are explained")
    return parser.parse_args()


def main(title, world, check_worlds, must_tell):
    """must_tell: of what many lines must leave, or the seeds show too little."""
    arguments = arguments_of(title)
    arguments.world, arguments.check = world, check_worlds
    if arguments.seed is not None:
        return show_seed(arguments)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    batches = collections.defaultdict(list)
    for seed in seeds:
        batches[seed // BATCH].append(seed)
    bad, lines = [], collections.Counter()
    with multiprocessing.pool.ThreadPool(arguments.jobs) as pool:
        for some, counts in pool.imap(lambda batch: check(arguments, *batch), batches.items()):
            bad += some
            lines.update(counts)
    print(f"seeds {seeds[0]} to {seeds[-1]}, {1 + RUNS} runs each; lines that left:",
          ", ".join(f"{name} {count}" for name, count in sorted(lines.items())))
    if bad:
        print(f"{len(bad)} seeds differ: {' '.join(map(str, bad[:50]))}")
    silent = [name for name in must_tell if len(seeds) >= 1000 and not arguments.detector and lines[name] < len(seeds) // 5]
    if silent:
        print(f"too little left of {', '.join(silent)}: this shows too little")
    return 1 if bad or silent else 0


if __name__ == "__main__":
    sys.exit(main(__doc__.splitlines()[0], grammar.World, check_all, list(grammar.DETECTORS)))
