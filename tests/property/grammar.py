# SPDX-License-Identifier: Apache-2.0
"""Random rules of every detector, and random events for them: what outcome.py disturbs.

A world is what a seed makes: one rule, two in a chain or one that inhibits the other, on streams of their own, and the
events that come in. Its rules are w/SEED and w/SEED-2, its streams a-SEED and b-SEED, what it emits e-SEED. In a text
@M@ stands for a word that a harmless edit changes.
"""
import random

SPAN = 420_000  # within which the events of a world come
HOSTS = {"h1": "z1", "h2": "z1", "h3": "z2", "h4": "z2"}
KINDS = ["up", "down", "deploy", "err", "err", "ok"]
TELLS = "--[[ @M@ ]]"  # in a function, which an edit may change without changing what it does

# The detectors, and how often each is drawn.
DETECTORS = {"level": 6, "measure": 2, "change": 2, "join": 3, "together": 2, "seq": 4, "missing": 3, "session": 2,
             "impact": 2, "handler": 2}


def ms(rng, *choices):
    return f'"{rng.choice(choices)}ms"'


def maybe(rng, share, text):
    return text if rng.random() < share else ""


# ---- what is measured -------------------------------------------------------------------------

def plain_aggregate(rng, windowed=True):
    """(expression, what its values are like)"""
    name = rng.choice("ab")
    narrowed = maybe(rng, 0.3, ', { kind = "err" }')
    if not windowed:
        return rng.choice([(f'last("{name}", "v")', "v"), (f'ewma("{name}", "v", "10s")', "v"), (f'elapsed "{name}"', "s"),
                           (f'sum(latest("{name}", "v", "u"))', "v"), (f'max(latest("{name}", "v", "u"))', "v")])
    return rng.choice([
        (f'count("{name}"{narrowed})', "n"), (f'count("{name}"{narrowed})', "n"), (f'sum("{name}", "v"{narrowed})', "v"),
        (f'avg("{name}", "v"{narrowed})', "v"), (f'min("{name}", "v")', "v"), (f'max("{name}", "v")', "v"),
        (f'first("{name}", "v")', "v"), (f'last("{name}", "v")', "v"), (f'delta("{name}", "v")', "d"),
        (f'stddev("{name}", "v")', "d"), (f'rate "{name}"', "r"), (f'rate("{name}", "total")', "v"),
        (f'increase("{name}", "total")', "v"), (f'changes("{name}", "state")', "n"), (f'resets("{name}", "total")', "n"),
        (f'elapsed "{name}"', "s"), (f'trend("{name}", "v")', "r"), (f'ewma("{name}", "v", "7s")', "v"),
        (f'sum(latest("{name}", "v", "u"))', "v"), (f'avg(latest("{name}", "v", "u"))', "v"),
        (f'distinct("{name}", "u")', "n"), (f'quantile("{name}", "v", {rng.choice([0.5, 0.9, 0.99])})', "v"),
        (f'count("a"{narrowed}) / (count "a" + count "b")', "r"),
        (f'sum("{name}", function(e) return e.v and e.v * 2 end)', "v"),
    ])


def expression(rng, windowed=True, may_look_back=False):
    text, like = plain_aggregate(rng, windowed)
    if may_look_back and rng.random() < 0.15:
        return f"{text} - prev({text})", "d"
    if rng.random() < 0.15:
        return f"{text} * 2 + {plain_aggregate(rng, windowed)[0]}", like
    return text, like


def bound(rng, like):
    return {"n": rng.choice([1, 2, 3, 4]), "v": rng.choice([2, 5, 8, 12]), "d": rng.choice([1, 2, 3]),
            "r": rng.choice([0.1, 0.3, 0.5]), "s": rng.choice([2, 5, 20])}[like]


def window(rng):
    """(options, whether there is a window, whether it may look back)"""
    kind = rng.choice(["sliding", "sliding", "hopping", "tumbling", "count", "blocks", "none"])
    if kind == "sliding":
        exact = maybe(rng, 0.3, f", exact = {rng.choice([2, 4])}")
        return f'over = {ms(rng, 5000, 20_000, 60_000)}{exact}', True, True
    if kind == "hopping":
        return f'over = "{rng.choice([20, 30, 60])}s", every = "10s"{maybe(rng, 0.3, ALIGN)}', True, True
    if kind == "tumbling":
        return f'every = {ms(rng, 5000, 15_000, 60_000)}{maybe(rng, 0.3, ALIGN)}', True, True
    if kind == "count":
        return f"last = {rng.choice([2, 3, 10])}", True, False
    if kind == "blocks":
        n = rng.choice([2, 4])
        return f"last = {n}, every = {n}", True, False
    return "", False, False


ALIGN = ', align = "first"'


def measured(rng):
    """Options that level and measure share, and what the values are like."""
    options, windowed, may_look_back = window(rng)
    text, like = expression(rng, windowed, may_look_back)
    options = [options] if options else []
    options += [f"min = {rng.randint(1, 2)}"] if windowed and rng.random() < 0.3 else []
    options += ["full = true"] if "over" in "".join(options) and rng.random() < 0.15 else []
    options += [f'at = "{rng.choice("ab")}"'] if rng.random() < 0.1 and "every" not in "".join(options) else []
    return text, like, options


# ---- detectors: (detect, facts a title may name, whether it is a level) ------------------------

def level(rng):
    text, like, options = measured(rng)
    if rng.random() < 0.2:
        of = f'{{ one = {text}, n = count "a" }}' if options and ("over" in options[0] or "every" in options[0] or
                                                                 "last" in options[0]) else f'{{ one = {text} }}'
        body = f'function(v) {TELLS} return (v.one or 0) > {bound(rng, like)} end'
        levels = [f'{rng.choice(["warn", "crit"])} = {{ when = {body}{maybe(rng, 0.5, ", hold = " + ms(rng, 1000, 7000))} }}']
        return f'level {{ of = {of}, {", ".join(options + levels)} }}', "${one}", True
    low = bound(rng, like)
    side = rng.choice(["above", "at_least", "above", "below"])
    hold = maybe(rng, 0.5, ", hold = " + ms(rng, 500, 3000, 12_000))
    calm = maybe(rng, 0.3, ", clear_hold = " + ms(rng, 1000, 8000))
    step = low / 2 if side != "below" else low * 2
    clear = maybe(rng, 0.3, f", clear = {step}")
    levels = [f"crit = {{ {side} = {low}{hold}{clear}{calm} }}"]
    if side != "below" and rng.random() < 0.4:
        levels.append(f"warn = {{ {side} = {low * 0.75}{maybe(rng, 0.5, hold)} }}")
    if rng.random() < 0.35:
        levels.append(f'nodata = {{ after = {ms(rng, 15_000, 40_000)}, be = "{rng.choice(["unknown", "ok", "keep", "alert"])}" }}')
    return f'level {{ of = {text}, {", ".join(options + levels)} }}', "${value}", True


def measure(rng):
    text, _, options = measured(rng)
    of = f'{{ one = {text}, two = {text} * 2 }}' if rng.random() < 0.2 else text
    return f'measure {{ {", ".join([f"of = {of}"] + options)} }}', "", False


def change(rng):
    of = rng.choice(['"state"', '"state"', '{ "state", "kind" }'])
    options = maybe(rng, 0.5, ", to = " + rng.choice(['"s2"', 'oneof("s2", "s3")', 'except "s1"']))
    options += maybe(rng, 0.3, ', from = "s1"')
    options += maybe(rng, 0.4, ", hold = " + ms(rng, 1000, 6000))
    options += maybe(rng, 0.2, ', initial = "s1"')
    return f'change {{ "a", of = {of}{options} }}', "${field} ${from} ${to}", True


def join(rng):
    kind = rng.choice(["each", "each", "first", "on_close", "left", "anti", "need"])
    said = {"each": "", "first": ', emit = "first"', "on_close": ', emit = "on_close"', "left": ', kind = "left"',
            "anti": ', kind = "anti"', "need": f', need = {{ left = {rng.randint(1, 2)}, right = {rng.randint(1, 3)} }}'}[kind]
    within = rng.choice(['"8s"', '{ after = "15s" }', '{ before = "5s", after = "20s" }', '{ before = "12s" }'])
    where = "" if "left = 2" in said else maybe(rng, 0.4, f", where = function(l, r) {TELLS} return l.u == r.u end")
    return f'join {{ "a", "b", within = {within}{said}{where} }}', "${left.id} ${right.id}" if kind == "each" else "", False


def together(rng):
    need = maybe(rng, 0.4, ", need = { a = 2 }")
    where = "" if need else maybe(rng, 0.4, f", where = function(g) {TELLS} return g.a.v ~= g.b.v end")
    inputs = rng.choice(['"a", "b"', '"a", "b", "c"'])
    return f'together {{ {inputs}, within = {ms(rng, 4000, 20_000, 60_000)}{need}{where} }}', "${start}", False


def seq_step(rng, n):
    parts = [f'"{rng.choice("abc")}"' if rng.random() < 0.8 else 'any = { "a", "c" }', f'as = "s{n}"']
    if rng.random() < 0.3:
        parts.append(rng.choice(["times = 2", "at_least = 2", "at_least = 2, at_most = 4"]))
    if n and rng.random() < 0.3:
        parts.append(f"within = {ms(rng, 5000, 20_000)}")
    if n and rng.random() < 0.15:
        parts.append("strict = true")
    if n and rng.random() < 0.25:
        parts.append(f"where = function(e, m) {TELLS} return e.u ~= \"u9\" end")
    return parts


def seq(rng):
    steps, count = [], rng.randint(2, 3)
    for n in range(count):
        if n and rng.random() < 0.25:
            steps.append('{ absent = "x"%s }' % rng.choice(["", "", ', lasting = "2s"']))
        parts = seq_step(rng, n)
        if 0 < n < count - 1 and rng.random() < 0.3:
            parts.append("optional = true")
        steps.append("{ %s }" % ", ".join(parts))
    if rng.random() < 0.35:
        steps.append('{ absent = "x", lasting = %s }' % ms(rng, 3000, 15_000))
    options = [f'overlap = "{rng.choice(["newest", "oldest", "every", "past_last"])}"', f"within = {ms(rng, 20_000, 60_000, 120_000)}"]
    options += ['stop_on = "x"'] if rng.random() < 0.2 else []
    options += ['on_timeout = "emit"'] if rng.random() < 0.3 else []
    return f'seq {{ {", ".join(steps + options)} }}', "${s0.count}", False


def missing(rng):
    silence = rng.choice([f"every = {ms(rng, 8000, 20_000)}", f"every = {ms(rng, 8000, 20_000)}, grace = {ms(rng, 1000, 9000)}",
                          'every = path "ttl", grace = "2s"', 'by = "00:03", grace = "20s"'])
    listed = rng.choice(['learn = "2m"', 'learn = "10m"', "", 'expect = { table = "inventory", key = "host", where = { on = "yes" } }'])
    if "by" in silence and "learn" in listed or "path" in silence and "table" in listed:
        listed = 'learn = "2d"'
    listed = ", " + listed if listed else ""
    guard = maybe(rng, 0.3, f', source_guard = "7s"') if "every = \"" in silence else ""
    stop = maybe(rng, 0.3, ', stop_on = "x"')
    return f'missing {{ "a", {silence}{listed}{guard}{stop} }}', "${silent}", True


def session(rng):
    name = rng.choice("ab")
    of = maybe(rng, 0.6, f', of = {{ n = count "{name}", top = max("{name}", "v"), who = distinct("{name}", "u") }}')
    where = maybe(rng, 0.4, f", where = function(s) {TELLS} return s.count >= {rng.randint(2, 4)} end")
    options = maybe(rng, 0.4, ", max = " + ms(rng, 20_000, 60_000)) + maybe(rng, 0.3, ', split_on = "state"')
    return f'session {{ gap = {ms(rng, 4000, 12_000)}, emit = "{rng.choice(["close", "first"])}"{options}{of}{where} }}', "${start} ${stop}", False


def impact(rng):
    settle = maybe(rng, 0.4, ', settle = "4s"')
    sure = maybe(rng, 0.5, f", confidence = {rng.choice([0.5, 0.8])}") + maybe(rng, 0.5, f", effect = {rng.choice([0.01, 0.3])}")
    return (f'impact {{ event = "c", metric = {{ "a", "v" }}, before = {ms(rng, 20_000, 60_000)}, after = {ms(rng, 15_000, 60_000)}'
            f'{settle}, worse = "{rng.choice(["higher", "lower", "either"])}", min = 2{sure} }}', "${verdict} ${before} ${after}", False)


HANDLERS = ['''handler {
    on_event = function(e, ctx) @T@
      local n = ctx.state.incr("n")
      if n >= %(many)d then ctx.fire { severity = "warn", title = "n " .. n } end
      ctx.timer("calm", "%(calm)ds")
    end,
    on_timer = function(name, ctx) @T@ ctx.state.set("n", nil) ctx.resolve() end }''', '''handler {
    on_event = function(e, ctx) @T@
      if e.kind == "down" then
        ctx.state.set("down", { id = e.id, at = ctx.now })
        ctx.state.expire("down", "%(calm)ds")
        ctx.timer("late", "%(many)ds")
      elseif e.kind == "up" then ctx.timer("late", nil) ctx.resolve()
      elseif e.kind == "err" and ctx.state.get("down") then ctx.fire { id = e["@stream"] .. "-" .. e.h .. "-" .. e.u, severity = "crit" } end
    end,
    on_timer = function(name, ctx) @T@
      local d = ctx.state.get("down")
      ctx.fire { severity = "info", title = d and (d.id .. " " .. d.at) or "gone" }
    end }''']


def handler(rng):
    text = rng.choice(HANDLERS) % {"many": rng.randint(2, 5), "calm": rng.choice([4, 10, 30])}
    return text.replace("@T@", TELLS), "", False


# ---- incidents ---------------------------------------------------------------------------------

def incident(rng, facts, lasts, labels, extra=""):
    """labels: of the key, what groups and storms may go by."""
    said = [f'title = "@M@ ${{h}} {facts}"'] + ([extra] if extra else [])
    if rng.random() < 0.4:
        said.append(f'notify = "{rng.choice(["changes", "first", "up"])}"')
    resolve = ['on = "x"'] if rng.random() < 0.25 else []
    if not lasts and rng.random() < 0.8:
        resolve.append(rng.choice(['after = "10s"', 'after = "40s"', 'after = "25s", from = "first"', "after = false"]))
    said += ["resolve = { %s }" % ", ".join(resolve)] if resolve else []
    said += [f"remind = {ms(rng, 10_000, 45_000)}"] if rng.random() < 0.2 else []
    said += ["resolved = false"] if rng.random() < 0.08 else []
    by = f' by = {{ "{rng.choice(labels)}" }},' if rng.random() < 0.6 else ""
    if rng.random() < 0.3:
        said.append(f'group = {{{by} wait = {ms(rng, 0, 3000, 12_000)}, interval = {ms(rng, 10_000, 30_000)} }}')
    if rng.random() < 0.25:
        said.append(f'storm = {{{by} max = {rng.randint(0, 2)}, per = {ms(rng, 10_000, 40_000)}, rest = "{rng.choice(["summary", "summary", "drop"])}" }}')
    if rng.random() < 0.2:
        said.append(f'flap = {{ max = {rng.randint(2, 4)}, within = {ms(rng, 20_000, 60_000)}{maybe(rng, 0.5, ", calm = " + ms(rng, 5000, 15_000))} }}')
    if rng.random() < 0.1:
        said.append('active = { hours = "00:01-00:04" }')
    return "incident { %s }" % ", ".join(said)


# ---- rules and their events --------------------------------------------------------------------

class World:
    def __init__(self, seed, rules=None, only=None):
        self.seed, rng = seed, random.Random(f"world {seed}")
        names = list(DETECTORS)
        self.detector = only or rng.choices(names, [DETECTORS[name] for name in names])[0]
        self.lateness = rng.choice([0, 5000, 20_000, 20_000, 60_000, 60_000])
        self.dedup = rng.random() < 0.4
        self.idle = rng.choice(["", "", ', idle = "1s"', ', idle = "10m"'])
        self.shape = rng.choices(["one", "chain", "inhibited"], [6, 3, 2])[0]
        if self.detector == "measure" and self.shape == "inhibited":
            self.shape = "chain"
        self.text = self.rules(rng)
        self.events = self.make_events(rng)

    def clock(self):
        return f'clock = {{ time = "ts", lateness = "{self.lateness}ms"{self.idle} }}'

    def inputs(self, used):
        """Those that the text names; a stream may feed several."""
        of = {"a": f'from "a-{self.seed}" {{ kind = except "deploy" }}', "b": f'from "b-{self.seed}" {{ kind = oneof("err", "ok", "down") }}',
              "c": f'from "b-{self.seed}" {{ kind = oneof("deploy", "up") }}', "x": f'from "a-{self.seed}" {{ kind = "deploy" }}'}
        names = [name for name in of if f'"{name}"' in used] or ["a", "b"]
        return "inputs = { %s }" % ", ".join(f"{name} = {of[name]}" for name in names)

    def rule(self, rng, name, detect, said, key):
        options = [f"key = {{ {key} }}", self.clock(), self.inputs(detect + said)]
        options += ['dedup = { by = "id", within = "5m" }'] if self.dedup else []
        options += ['enrich = { who = lookup { "owners", key = "h" } }'] if "${who" in said else []
        options += ['doc = "@M@"', f"detect = {detect}", said]
        return f'rule "{name}" {{\n  ' + ",\n  ".join(options) + ",\n}\n"

    def rules(self, rng):
        detect, facts, lasts = globals()[self.detector](rng)
        name, key = f"w/{self.seed}", rng.choice(['"h"', '"h"', '"h", "z"', '"z"'])
        if 'table = "inventory"' in detect:
            key = '"h"'
        labels = key.replace('"', "").split(", ")
        emits = f'emit = to "e-{self.seed}" {{ z = "${{z}}", eid = "${{id}}", what = "{facts}" }}'
        facts += maybe(rng, 0.2, " ${who.team}")
        if self.shape == "inhibited":
            by = f'inhibited_by = {{ rule = "w/{self.seed}-2", equal = {{ "{labels[-1]}" }}, wait = {ms(rng, 0, 4000, 15_000)} }}'
            alert = f"alert = {incident(rng, facts, lasts, labels, by)}"
            other, told, also = level(rng)
            told = told.replace("${one}", "${value}") if "value" in told else told
            second = self.rule(rng, name + "-2", other, f"alert = {incident(rng, told, also, labels)}", f'"{labels[-1]}"')
            return self.rule(rng, name, detect, alert, key) + second
        alert = f"alert = {incident(rng, facts, lasts, labels)}"
        if self.shape == "one":
            said = emits if self.detector == "measure" else rng.choice([alert, alert, alert + ",\n  " + emits])
            return self.rule(rng, name, detect, said, key)
        return self.rule(rng, name, detect, emits, key) + self.reader(rng, name + "-2")

    def reader(self, rng, name):
        """The second rule of a chain, which reads what the first emits, and perhaps more."""
        detect, lasts = rng.choice([
            ('level { of = count "e", over = "30s", crit = { at_least = 2 } }', True),
            ('level { of = count "e", every = "20s", crit = { at_least = 1 } }', True),
            ('join { "e", "b", within = "10s" }', False), ('seq { "e", { "b", within = "20s" } }', False),
            ('session { gap = "10s" }', False), ('missing { "e", every = "30s", learn = "3m" }', True)])
        alert = f'alert = {incident(rng, "", lasts, ["z"])}'
        text = self.rule(rng, name, detect, alert, '"z"')
        return text.replace("inputs = { ", f'inputs = {{ e = from "e-{self.seed}" {{}}, ')

    def make_events(self, rng):
        """(time, stream, partition, fields), in order of time; no two of a key at one time."""
        steps = rng.choice([[500, 1000, 2000, 5000], [1000, 3000, 10_000, 20_000], [0, 0, 500, 15_000, 40_000]])
        time, found, totals = rng.randint(0, 20_000), [], {}
        hosts = rng.sample(sorted(HOSTS), rng.randint(1, 4))
        taken = set()
        for n in range(rng.randint(15, 70)):
            time += rng.choice(steps)
            h = rng.choice(hosts)
            if time > SPAN or (time, HOSTS[h]) in taken:
                continue
            taken.add((time, HOSTS[h]))
            totals[h] = rng.choice([0, 1, totals.get(h, 0) + 1, totals.get(h, 0) + 5])
            fields = {"h": h, "z": HOSTS[h], "id": n, "kind": rng.choice(KINDS), "state": rng.choice(["s1", "s1", "s2", "s3"]),
                      "v": rng.choice([0, 1, 2.5, 5, 7.1, 10]), "u": f"u{rng.randint(1, 3)}", "total": totals[h],
                      "ttl": rng.choice([5, 12, "20s", "no"])}
            for name in rng.sample(["v", "u", "state", "ttl"], rng.choice([0, 0, 0, 1])):
                del fields[name]
            found.append((time, f"{rng.choice('aab')}-{self.seed}", rng.choice([0, 0, 0, 1]), fields))
        return found
