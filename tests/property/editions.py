# SPDX-License-Identifier: Apache-2.0
"""What people do to a rule while its events wait: the editions that outcome.py loads one after another.

Of a rule `missing`: it gets a source guard, another or none, other times, another name; it becomes another
detector, or goes, and comes back later. Of any rule: events wait longer, shorter or not at all.
"""
import random
import re

HELD = "missing { "  # what is edited beyond lateness


def other_lateness(rng, text):
    return re.sub(r'lateness = "\d+ms"', lambda _: f'lateness = "{rng.choice([0, 5000, 20_000, 60_000])}ms"', text)


def other_guard(rng, text):
    """Shorter than any `every` of the grammar."""
    guard = rng.choice(["", ', source_guard = "3s"', ', source_guard = "7s"'])
    text = re.sub(r', source_guard = "\w+"', "", text)
    return re.sub(r'(missing \{ "\w", every = "\w+")', lambda found: found.group(1) + guard, text)


def other_times(rng, text):
    return re.sub(r'(missing \{ "\w", every = )"\w+"', lambda found: f'{found.group(1)}"{rng.choice([8, 12, 20, 45])}s"', text)


def other_name(rng, text, seed):
    names = [f"w/{seed}", f"w/{seed}-was"]
    here = rng.randrange(2)
    return text.replace(f'rule "w/{seed}" {{', f'rule "{names[here]}" {{\n  was = "{names[1 - here]}",', 1)


def other_detector(rule):
    """It starts anew; the events that wait are the same."""
    name = re.search(r'missing \{ "(\w)"', rule)
    if not name:
        return rule
    level = f'detect = level {{ of = count "{name.group(1)}", over = "20000ms", crit = {{ at_least = 2 }} }},\n'
    return re.sub(r"detect = missing \{.*\n", level, rule).replace("${silent}", "${value}")


def other_detectors(rng, text):
    rules = re.split(r'(?m)^(?=rule ")', text)
    return "".join(other_detector(rule) if rng.random() < 0.7 else rule for rule in rules)


def edition(rng, world, holes):
    """holes: what it knows may go for a while."""
    text = other_lateness(rng, world.text) if rng.random() < 0.5 else world.text
    if HELD not in text:
        return text
    if holes and rng.random() < 0.25:
        return ""
    text = other_guard(rng, text) if rng.random() < 0.5 else text
    text = other_times(rng, text) if rng.random() < 0.3 else text
    if holes and rng.random() < 0.3:
        text = other_detectors(rng, text)
    return other_name(rng, text, world.seed)


def editions_of(world, count, holes):
    """The text of a world, and `count` others."""
    rng = random.Random(f"editions {world.seed} {count} {holes}")
    return [world.text] + [edition(rng, world, holes) for _ in range(count)]
