#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures that need a real broker; tools/bench runs it on the release build.

The reference job, "errors per host": 3,000,000 events of about 470 bytes in 4 partitions, keyed by
host (kafka/produce.c); count the errors of each host over a sliding 5 minutes and alert at 30. Each
round reads the whole topic once with each program, in turns, and compares events per second of
processor time (all threads of the process, from its start to its end, as the kernel counts them):

  bare         kafka/bare.c: a tuned librdkafka loop that looks at nothing
  handwritten  kafka/handwritten.c: this one job and nothing else
  join         kafka/join.c: scale-outs with the errors of their service, against a rule that joins them
  errors       tidewatch, the job as a rule of seven lines
  lua          the same with a Lua predicate that is called on every event
  nomatch      tidewatch, one rule that no event matches
  sequence     tidewatch, a sequence of three steps

Broker and measured program have a core each, where there are two.

TIDEWATCH_BENCH_EVENTS=300000   a smaller topic, for a quick look
TIDEWATCH_BENCH_ROUNDS=2        fewer rounds
TIDEWATCH_BENCH_KAFKA=DIR       keeps the broker and its topic there for the next time
"""
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

BENCH = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(BENCH), "system"))
import harness  # noqa: E402

EVENTS = int(os.environ.get("TIDEWATCH_BENCH_EVENTS", "3000000"))
ROUNDS = int(os.environ.get("TIDEWATCH_BENCH_ROUNDS", "5"))
KEEP = os.environ.get("TIDEWATCH_BENCH_KAFKA")
PROGRAM = harness.Tidewatch.program
CORES = sorted(os.sched_getaffinity(0))

RULE = """
rule "bench/errors" {
  key    = { "host" },
  inputs = { ev = from "events" { %s } },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 30 } },
  alert  = incident { id = "errors:${host}", route = "out", title = "${value} errors on ${host}" },
}
"""
ERRORS = RULE % 'severity = "error"'
LUA = RULE % 'where = function(e) return e.severity == "error" end'
NOMATCH = RULE % 'severity = "error", type = "no_such_type"'
SLOW = RULE % ('where = function(e) local n = 0 for i = 1, 150 do n = n + i % 7 end '
               'return n < 0 and e.severity == "error" end')
JOIN = """
rule "bench/join" {
  key    = { "service" },
  inputs = { scaled = from "events" { type = "scale_out", host = prefix "web-000", retries = 3 },
             err    = from "events" { severity = "error" } },
  detect = join { left = "scaled", right = "err", within = { after = "5m" } },
  alert  = incident { id = "scaled:${left.id}", route = "out", title = "${right.host} fails after ${left.host} scaled out" },
}
"""
UNLIMITED = {"queued.min.messages": 10000000, "queued.max.messages.kbytes": 2097151}

LATENCY_RATE, LATENCY_SECONDS, LATENCY_ROUNDS = 20000, 12, 3
LATENCY = """
rule "bench/latency" {
  key    = { "host" },
  inputs = { ev = from "events" { severity = "error", code = 503 } },
  detect = level { of = count "ev", over = "10s", crit = { at_least = 3 } },
  alert  = incident { id = "errors:${host}", route = "out", title = "${sent_us}" },
}
"""

SEQUENCE = """
rule "bench/sequence" {
  key    = { "host" },
  inputs = { bad   = from "events" { severity = "error", code = lte(501) },
             worse = from "events" { severity = "error", code = between(502, 503) },
             worst = from "events" { severity = "error", code = gte(504) } },
  detect = seq { "bad", "worse", "worst", within = "5m" },
  alert  = incident { id = "seq:${host}", route = "out", title = "${bad.code} ${worse.code} ${worst.code}" },
}
"""

failed = False


def say(text):
    print(f"kafka.py: {text}", file=sys.stderr, flush=True)


def figure(name, values, better, gate, goal):
    """One line as tools/bench reads them; the median counts."""
    global failed
    value = statistics.median(values)
    ok = value >= gate if better == "higher" else value <= gate
    failed = failed or not ok
    print(json.dumps({"name": name, "value": float(f"{value:.4g}"),
                      "min": float(f"{min(values):.4g}"), "max": float(f"{max(values):.4g}"),
                      "runs": len(values), "better": better, "gate": gate, "goal": goal,
                      "pass": ok}), flush=True)


# --- one run ----------------------------------------------------------------


class Run:
    """A finished program: what it used and what it said."""

    def __init__(self, command, log):
        with open(log, "wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL,
                                       preexec_fn=lambda: on_core(-1))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        with open(log, encoding="utf-8") as f:
            self.text = f.read()
        if process.returncode:
            raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{self.text[-2000:]}")
        self.cpu = used.ru_utime + used.ru_stime
        self.rss_mb = used.ru_maxrss / 1024
        self.rate = EVENTS / self.cpu


def on_core(which):
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[which]})


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        on_core(0)
        self.broker = harness.Kafka(KEEP or os.path.join(folder, "kafka")).start()
        os.sched_setaffinity(0, CORES)

    def close(self):
        if not KEEP:
            self.broker.stop()

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, name, *arguments):
        return [os.path.join(harness.BUILD, "tests", "bench", f"kafka_{name}"),
                self.broker.address, *map(str, arguments)]

    def topic(self, name):
        have = harness.run("kcat", "-L", "-J", "-b", self.broker.address)
        if any(t["topic"] == name for t in json.loads(have)["topics"]):
            return
        say(f"making topic {name}")
        self.broker.topic(name, 4)
        Run(self.tool("produce", name, EVENTS), self.path("produce.log"))

    def reader(self, name, topic):
        run = Run(self.tool(name, topic), self.path(f"{name}.log"))
        run.said = json.loads(run.text.splitlines()[-1])
        if run.said["events"] != EVENTS:
            raise SystemExit(f"{name} read {run.said['events']} events of {EVENTS}")
        return run

    def config(self, rule, topic, sink, properties=None):
        """A configuration of an engine whose group nobody had before."""
        self.count += 1
        rules = self.path("rules")
        os.makedirs(rules, exist_ok=True)
        with open(os.path.join(rules, "bench.lua"), "w", encoding="utf-8") as f:
            f.write(rule)
        source = {"brokers": self.broker.address, "start": "earliest",
                  "group": f"bench-{os.getpid()}-{self.count}", "properties": properties or {}}
        return {"lanes": 1,
                "control": {"listen": f"127.0.0.1:{harness.free_port()}"},
                "sources": {"kafka": {"kind": "kafka", "settings": source}},
                "streams": {"events": {"source": "kafka", "topics": [topic], "time": "time"}},
                "rules": {"paths": [rules]}, "sinks": {"out": sink}, "routes": {"out": "out"}}

    def tidewatch(self, rule, topic, properties=None):
        """The program as it is shipped, from its start until it has read the topic."""
        alerts = self.path("alerts.ndjson")
        file = self.path("tidewatch.json")
        if os.path.exists(alerts):
            os.remove(alerts)
        config = self.config(rule, topic, {"kind": "file", "settings": {"path": alerts}},
                             properties)
        with open(file, "w", encoding="utf-8") as f:
            json.dump(config, f)
        run = Run([PROGRAM, "run", "-c", file, "--exit-at-end"], self.path("tidewatch.log"))
        if f"events={EVENTS}" not in run.text.splitlines()[-1].split():
            raise SystemExit(f"tidewatch did not read {EVENTS} events:\n{run.text[-2000:]}")
        with open(alerts, encoding="utf-8") as f:
            run.alerts = sum(json.loads(line)["status"] == "firing" for line in f)
        return run


# --- the figures ------------------------------------------------------------


def check_alerts(engine, hand):
    """Both find the same alerts, but for events that come out of order just as another of their
    host leaves the window: what the partitions have in common is their clock, which depends on how
    they were read."""
    if abs(engine - hand) > max(2, hand / 100):
        raise SystemExit(f"tidewatch raised {engine} alerts, the program by hand {hand}")


def throughput(bench, topic):
    ratios = {"bare": [], "hand": [], "lua": [], "nomatch": []}
    rss = []
    for number in range(ROUNDS):
        bare = bench.reader("bare", topic)
        hand = bench.reader("handwritten", topic)
        errors = bench.tidewatch(ERRORS, topic)
        lua = bench.tidewatch(LUA, topic)
        nomatch = bench.tidewatch(NOMATCH, topic)
        check_alerts(errors.alerts, hand.said["alerts"])
        check_alerts(lua.alerts, hand.said["alerts"])
        check_alerts(nomatch.alerts, 0)
        ratios["bare"].append(errors.rate / bare.rate)
        ratios["hand"].append(errors.rate / hand.rate)
        ratios["lua"].append(lua.rate / bare.rate)
        ratios["nomatch"].append(nomatch.rate / bare.rate)
        rss.append(errors.rss_mb)
        runs = {"bare": bare, "handwritten": hand, "errors": errors, "lua": lua,
                "nomatch": nomatch}
        say(f"round {number + 1}, nanoseconds of processor time an event: " +
            ", ".join(f"{k} {1e9 / r.rate:.0f}" for k, r in runs.items()) +
            f"; alerts {errors.alerts}, by hand {hand.said['alerts']}")
    figure("errors_per_host_vs_bare", ratios["bare"], "higher", 0.50, 0.70)
    figure("errors_per_host_vs_handwritten", ratios["hand"], "higher", 0.60, 0.85)
    figure("lua_each_vs_bare", ratios["lua"], "higher", 0.35, 0.50)
    figure("nomatch_vs_bare", ratios["nomatch"], "higher", 0.60, 0.80)
    figure("errors_per_host_rss_mb", rss, "lower", 128, 48)


def join(bench, topic):
    """Scale-outs joined with the errors of the same service within 5 minutes after."""
    ratios = []
    for number in range(ROUNDS):
        hand = bench.reader("join", topic)
        ours = bench.tidewatch(JOIN, topic)
        check_alerts(ours.alerts, hand.said["alerts"])
        ratios.append(ours.rate / hand.rate)
        say(f"round {number + 1}, join, nanoseconds of processor time an event: {1e9 / ours.rate:.0f}, by "
            f"hand {1e9 / hand.rate:.0f}; {hand.said['pairs']} pairs, alerts {ours.alerts}, by hand "
            f"{hand.said['alerts']}")
    figure("join_vs_handwritten", ratios, "higher", 0.55, 0.80)


def seconds_of_reading(run):
    """From the first partition taken to the last one read, by the program's own log."""
    def at(text):
        line = next(l for l in run.text.splitlines() if text in l)
        return datetime.datetime.fromisoformat(line.split()[0][len("ts="):].rstrip("Z"))
    return (at("every feed has reached its end") - at('msg="feed taken"')).total_seconds()


def catch_up(bench, topic):
    ratios = []
    for number in range(ROUNDS):
        ours = seconds_of_reading(bench.tidewatch(SLOW, topic))
        unlimited = seconds_of_reading(bench.tidewatch(SLOW, topic, UNLIMITED))
        say(f"round {number + 1}, catching up: {ours:.2f} s, unlimited {unlimited:.2f} s")
        ratios.append(unlimited / ours)
    figure("catchup_vs_unlimited", ratios, "higher", 0.85, 0.95)


def latency_p99(bench, number):
    """Milliseconds from producing the event that tips an alert to its webhook."""
    topic = f"paced-{os.getpid()}-{number}"
    bench.broker.topic(topic, 4)
    double = harness.HttpDouble()
    engine = harness.Tidewatch(bench.path(f"latency-{number}"), bench.config(
        LATENCY, topic, {"kind": "webhook", "settings": {"url": double.url, "format": "json"}}))
    engine.start()
    harness.wait_for("partitions", lambda: engine.metric("tidewatch_kafka_partitions") == 4)
    subprocess.run(bench.tool("produce", topic, LATENCY_RATE * LATENCY_SECONDS, LATENCY_RATE),
                   check=True, stdout=subprocess.DEVNULL)
    harness.wait_for("all events", lambda: engine.metric("tidewatch_events_total") ==
                     LATENCY_RATE * LATENCY_SECONDS)
    engine.stop()
    double.close()
    took = sorted(r["at"] * 1e3 - int(json.loads(r["body"])["title"]) / 1e3
                  for r in double.requests()
                  if json.loads(r["body"])["status"] == "firing")
    if len(took) < 100:
        raise SystemExit(f"only {len(took)} alerts")
    at = {p: took[int(len(took) * p / 100)] for p in (50, 99)}
    say(f"latency of {len(took)} alerts: p50 {at[50]:.1f} ms, p99 {at[99]:.1f} ms, "
        f"most {took[-1]:.1f} ms")
    return at[99]


def latency(bench):
    figure("alert_latency_p99_ms",
           [latency_p99(bench, number) for number in range(LATENCY_ROUNDS)], "lower", 50, 10)


def sequence(bench, topic):
    """Three steps of each host, a tenth of the events."""
    ratios = []
    for number in range(ROUNDS):
        bare = bench.reader("bare", topic)
        ours = bench.tidewatch(SEQUENCE, topic)
        if not ours.alerts:
            raise SystemExit("no sequence was found")
        ratios.append(ours.rate / bare.rate)
        say(f"round {number + 1}, sequence, nanoseconds of processor time an event: {1e9 / ours.rate:.0f}, "
            f"bare {1e9 / bare.rate:.0f}; alerts {ours.alerts}")
    figure("seq_vs_bare", ratios, "higher", 0.40, 0.60)


def main():
    folder = tempfile.mkdtemp(prefix="tidewatch-bench-")
    bench = Bench(folder)
    topic = f"errors-{EVENTS}"
    try:
        bench.topic(topic)
        parts = sys.argv[1:] or ["throughput", "join", "catch_up", "latency"]
        if "throughput" in parts:
            throughput(bench, topic)
        if "join" in parts:
            join(bench, topic)
        if "catch_up" in parts:
            catch_up(bench, topic)
        if "latency" in parts:
            latency(bench)
        if "sequence" in parts or not sys.argv[1:]:
            sequence(bench, topic)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
