# SPDX-License-Identifier: Apache-2.0
"""The join detector in all its kinds, with and without lateness. See judge.py. Of each event the model asks
whether others could still see it; partners are looked for among all of them, one by one."""
TIME, VARIANTS = "ts", 40
SAID = {"each": 'kind = "inner"', "first": 'emit = "first"', "on_close": 'emit = "on_close"',
        "left": 'kind = "left"', "anti": 'kind = "anti"', "need": "", "group": ""}


def RULES(rng):
    tells = rng.choice(list(SAID))
    many = tells in ("need", "group")
    v = {"tells": tells, "before": rng.choice([0, 2000, 5000]), "after": 9000 if many else rng.choice([1, 1000, 9000]),
         "lateness": rng.choice([0, 0, 16_000]), "where": tells != "group" and rng.random() < 0.5,
         "same": not many and rng.random() < 0.2, "m": rng.randint(2, 3) if tells == "group" else 1, "n": 1,
         "max": rng.choice([1000, 1000, 3])}
    if many or (tells in ("on_close", "anti") and rng.random() < 0.5):
        v["n"] = rng.randint(1 if tells == "group" else 2, 3)
    options = [SAID[tells]] * (SAID[tells] != "") + ["where = function(l, r) return l.n ~= r.n end"] * v["where"]
    v["text"] = '''rule "model/join" {
  key = { "k" }, clock = { time = "ts", lateness = "%sms", idle = "1d" },
  inputs = { z = from "one" {}, a = from "two" {} },
  detect = join { "z", "%s", within = { before = "%sms", after = "%sms" }, max = %d,
                  need = { left = %d, right = %d }%s },
  alert = incident {},
}''' % (v["lateness"], "z" if v["same"] else "a", v["before"], v["after"], v["max"], v["m"], v["n"],
       "".join(", " + option for option in options))
    return v


def events(rng, key):
    at = rng.randint(0, 20_000)
    for _ in range(rng.randint(1, 16)):
        at += rng.choice([0, 0, 500, 1000, 1000, 2000, 5000, 10_000])
        time = max(0, at - rng.choice([0, 0, 0, 1000, 1000, 5000, 15_000]))
        yield at, rng.choice(["one", "two"]), {"n": rng.randint(1, 3), "ts": time}


class Join:
    def __init__(self, v):
        self.v, self.out, self.lefts, self.rights = v, [], [], []  # of a left one: [event, partners]
        self.at_end, self.span = v["tells"] in ("on_close", "left", "anti"), v["before"] + v["after"]

    def pairs(self, l, r):
        return (l is not r and -self.v["before"] <= r.time - l.time <= self.v["after"] and
                (not self.v["where"] or l.fields["n"] != r.fields["n"]))

    def tell(self, lefts, rights, at=0):
        rights = sorted(rights, key=lambda r: r.time)
        start, at = min(e.time for e in lefts + rights), at or max(e.time for e in lefts + rights)
        ends = {name: {"count": len(some), "first_ms": some[0].time if some else None,
                       "last_ms": some[-1].time if some else None}
                for name, some in (("left", lefts), ("right", rights))}
        self.out.append({"at": at, "kind": "occurrence", "roles": ends, "start": start, "stop": at})

    def pair(self, l, r):
        l[1].append(r)
        if self.v["tells"] == "each":
            self.tell([l[0]], [r])
        elif self.v["tells"] in ("first", "need") and len(l[1]) == self.v["n"]:
            self.tell([l[0]], l[1])
            return True  # the left one is done with

    def group(self, x):  # left events that follow each other, right ones in the span of each
        for n in range(len(self.lefts) - self.v["m"] + 1):
            some = [l[0] for l in self.lefts[n:n + self.v["m"]]]
            fits = [r for r in self.rights if all(self.pairs(l, r) for l in some)]
            if (x in some or x in fits) and len(fits) >= self.v["n"]:
                self.tell(some, fits[:self.v["n"]])
                del self.lefts[n:n + self.v["m"]]
                return self.group(x)

    def wait(self, clock):
        left, right = (self.span,) * 2 if self.v["tells"] == "group" else (self.v["after"], self.v["before"])
        for e, found in (l for l in self.lefts if self.at_end and l[0].time + left < clock):
            if self.v["tells"] == "left" or (len(found) >= self.v["n"]) == (self.v["tells"] == "on_close"):
                self.tell([e], found, e.time + left)
        self.lefts = [l for l in self.lefts if l[0].time + left >= clock]
        self.rights = [r for r in self.rights if r.time + right >= clock]

    def event(self, e, clock):
        group, new = self.v["tells"] == "group", [e, []]
        if e.stream == "one" and e.time + (self.v["after"] if self.at_end else self.span) >= clock:
            if group or not any(self.pair(new, r) for r in self.rights if self.pairs(e, r)):
                self.lefts = sorted(self.lefts + [new], key=lambda l: l[0].time)
        if e.stream == ("one" if self.v["same"] else "two") and e.time + self.span >= clock:
            if not group:
                self.lefts = [l for l in self.lefts if not (self.pairs(l[0], e) and self.pair(l, e))]
            self.rights = sorted(self.rights + [e], key=lambda r: r.time)
        self.lefts, self.rights = self.lefts[-self.v["max"]:], self.rights[-self.v["max"]:]
        if group:
            self.group(e)


def judge(v, events, end):
    join = Join(v)
    if v["lateness"]:
        events = [e for e in events if e.clock is None or e.time >= e.clock - v["lateness"]]
        events = [e._replace(clock=e.time) for e in sorted(events, key=lambda e: (e.time, e.stream))]
    for e in (e for e in events if e.stream == "one" or not v["same"]):
        clock = -10**9 if e.clock is None else e.clock
        join.wait(clock)
        join.event(e, clock)
    join.wait(end + 1)
    return sorted(join.out, key=lambda s: s["at"])  # as replay prints them
