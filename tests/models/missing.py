# SPDX-License-Identifier: Apache-2.0
"""The missing detector with a learned list: every and grace, every of a field, by a time of the day, learn,
stop_on, late events. See judge.py. The table and the source are of more keys than one: tests/flow, tests/unit."""
import datetime
import itertools
import random
import zoneinfo

from judge import START

TIME, VARIANTS = "ts", 24
TTLS = {2: 2000, 3.5: 3500, "4s": 4000, "1500ms": 1500, 0: None, -1: None, "soon": None, None: None}
DAY, WEEK = 86_400_000, ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def RULES(rng):
    how = rng.choice(["every", "every", "ttl", "by"])
    v = {"how": how, "grace": rng.choice([0, 1000, 2500]), "every": rng.choice([2000, 3000]),
         "learn": rng.choice([7000, 20_000, None]), "days": None, "zone": None}
    what = {"every": f'every = "{v["every"]}ms"', "ttl": 'every = path "ttl"'}.get(how)
    if how == "by":
        v["grace"] = rng.choice([0, 1_800_000])
        v["by"], v["learn"] = rng.choice(["03:00", "02:30", "00:00", "24:00"]), 9 * DAY
        v["zone"] = rng.choice(["UTC", "Europe/Berlin", "America/New_York"])
        v["days"] = rng.choice([",".join(WEEK), "mon,tue,wed,thu,fri", "sat,sun"])  # no clock changes in these weeks
        what = f'by = "{v["by"]}", zone = "{v["zone"]}", days = "{v["days"]}"'
    learn = f', learn = "{v["learn"]}ms"' if v["learn"] else ""
    v["learn"] = v["learn"] or DAY
    v["text"] = f'''rule "model/missing" {{
  key = {{ "k" }}, clock = {{ time = "ts", idle = "4000d" }},
  inputs = {{ hb = from "events" {{ kind = "hb" }}, off = from "events" {{ kind = "off" }} }},
  detect = missing {{ "hb", {what}, grace = "{v["grace"]}ms", stop_on = "off"{learn} }},
  alert = incident {{ severity = "warn" }},
}}'''
    return v


SLOW = [RULES(random.Random(f"missing rule {n}"))["how"] == "by" for n in range(VARIANTS)]  # as judge.py makes them


def events(rng, key):
    at, slow = rng.randint(0, 20_000), SLOW[int(key[1:]) % VARIANTS]
    for _ in range(rng.randint(1, 15)):
        at += rng.choice([500, 1000, 2000, 3000, 6000, 9000]) * (20_000 if slow else 1)
        fields = {"ts": max(0, at - rng.choice([0, 0, 0, 500, 2000, 5000])), "ttl": rng.choice(list(TTLS)),
                  "kind": rng.choice(["hb"] * 6 + ["off"])}
        yield at, "events", {name: value for name, value in fields.items() if value is not None}


def deadlines(v, since):
    """By when something must have come, grace included: at or after `since`, in order."""
    zone, (hour, minute) = zoneinfo.ZoneInfo(v["zone"]), map(int, v["by"].split(":"))
    day = datetime.datetime.fromtimestamp((START + since) / 1000 - 3 * 86_400, zone).date()
    while True:
        day += datetime.timedelta(days=1)
        if WEEK[day.weekday()] in v["days"]:
            wall = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(hours=hour, minutes=minute)
            at = round(wall.replace(tzinfo=zone).timestamp() * 1000) - START + v["grace"]
            if at >= since:
                yield at


def judge(v, events, end):
    out, k, past = [], None, None

    def due():
        if k is None or k["stopped"]:
            return None
        if v["how"] == "by":
            silent = list(itertools.islice(deadlines(v, k["base"]), 2))[1]  # the first is met
        else:
            every = v["every"] if v["how"] == "every" else k["every"]
            silent = k["base"] + every + v["grace"] if every else None
        return min([k["base"] + v["learn"]] + ([silent] if silent and not k["missing"] else []))

    def tell(at, missing, reason=None):
        k["missing"], levels = missing, ("ok", "warn") if missing else ("warn", "ok")
        out.append({"kind": "level", "at": at, "from": levels[0], "level": levels[1], "reason": reason,
                    "facts": {"silent": (at - k["base"]) / 1000, "last_seen": k["base"] + START}})

    for event in events + [None]:
        while (at := due()) is not None and (at < max(event.time, event.clock or 0) if event else at <= end):
            told = at if past is None else max(at, past)
            if at < k["base"] + v["learn"]:
                tell(told, True)
                continue
            k["missing"] and tell(told, False, "forgotten")
            k = None
        if event is None or (k and event.time < k["base"]):
            continue  # late
        heard = event.fields["kind"] == "hb"
        if k and k["missing"]:
            tell(max(event.time, event.clock or 0), False, None if heard else "stopped")
        past = event.clock
        if heard or k:
            every = heard and TTLS[event.fields.get("ttl")] or (k["every"] if k else None)
            k = {"base": event.time, "every": every, "missing": False, "stopped": not heard}
    return out

