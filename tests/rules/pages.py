#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a package says what is so: it names every rule, each with its parameters and their defaults, and its
example alerts are titles that a test of the package expects."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "rules")
PACKAGES = ("failures", "scaling", "provisioning")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def params_in(text):
    found = re.search(r"params = \{(.*?)\}", text, re.S)
    pairs = re.findall(r"(\w+) = (\"[^\"]*\"|[\w.]+)", found.group(1)) if found else []
    return {name: value.strip('"') for name, value in pairs}


def rules_of(lua):
    """Name -> parameters; a rule is written out, or made by a function `local function f(x) return { ... } end`."""
    rules = {}
    for m in re.finditer(r'^rule "([^"]+)" (?:\{(.*?)^\}|\((\w+)\(([^)]*)\)\))', lua, re.S | re.M):
        name, body, maker, given = m.groups()
        if maker:
            made = re.search(rf"^local function {maker}\(([^)]*)\)(.*?)^end", lua, re.S | re.M)
            body = made.group(2)
            values = dict(zip(re.split(r", *", made.group(1)), [g.strip('"') for g in re.split(r", *", given)]))
        params = params_in(body)
        rules[name] = {k: values.get(v, v) for k, v in params.items()} if maker else params
    return rules


def page_of(text):
    """Rule -> parameters as the page has them."""
    page = {}
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        section = re.split(r"^## ", section, flags=re.M)[0]
        names = section.split("\n", 1)[0].split(", ")
        for name in names:
            of = rf" of {name}" if len(names) > 1 else ""
            listed = re.search(rf"^Parameters{of}: (.*?)\.(?:\s|$)", section, re.S | re.M)
            pairs = re.findall(r"`(\w+)` = ([\w.]*\w)", listed.group(1)) if listed else []
            page[name] = dict(pairs)
    return page


def check(package):
    files = [f for f in os.listdir(os.path.join(ROOT, package)) if f.endswith(".lua")]
    lua = "\n".join(read(package, f) for f in files)
    text = read(package, "README.md")
    rules = {}
    for f in files:
        rules.update(rules_of(read(package, f)))
    page = page_of(text)
    wrong = [f"{package}: the page does not tell of {r}" for r in rules if r not in page]
    wrong += [f"{package}: the page tells of {r}, which is not there" for r in page if r not in rules]
    wrong += [f"{package}: {r} has {rules[r]}, the page says {page[r]}"
              for r in rules if r in page and rules[r] != page[r]]
    examples = re.findall(r"^> [a-z, ]+: (.*)$", text, re.M)
    wrong += [f"{package}: no test expects the title '{e}'" for e in examples if f'title = "{e}"' not in lua]
    telling = [r for r in rules if not r.endswith("_verdict")]
    if len(examples) != len(telling):
        wrong.append(f"{package}: {len(telling)} rules tell people, the page has {len(examples)} examples")
    return wrong


if __name__ == "__main__":
    mistakes = [w for package in PACKAGES for w in check(package)]
    print("\n".join(mistakes) or "the pages say what is so")
    sys.exit(bool(mistakes))
