#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people on call ask of a running engine: what is open, quiet for a while, I have it."""
import json
import os
import subprocess
import unittest

from harness import SystemTest, Tidewatch, wait_for

RULES = """rule "shop/host_down" {
  was = "shop/down", key = { "host" }, inputs = { s = from "states" {} },
  detect = change { "s", of = "state", to = "down" },
  alert = incident { id = "host:${host}", severity = "warn", title = "${host} is down", labels = { zone = "${zone}" },
    inhibited_by = { rule = "shop/zone_down", equal = { "zone" }, wait = "1s" } },
}
rule "shop/zone_down" {
  key = { "zone" }, inputs = { s = from "states" {} },
  detect = level { of = sum(latest("s", function(e) return e.state == "down" and 1 or 0 end, "host")), crit = { at_least = 3 } },
  alert = incident { id = "zone:${zone}", title = "${value} hosts down in ${zone}" },
}
"""


class People(SystemTest):
    def running(self):
        self.write("engine/in.ndjson", "")
        self.write("engine/rules/shop.lua", RULES)
        return self.engine({
            "lanes": 1,
            "sources": {"in": {"kind": "file", "settings": {
                "path": self.path("engine/in.ndjson"), "follow": True}}},
            "streams": {"states": {"source": "in"}},
            "rules": {"paths": ["rules"]},
            "sinks": {"out": {"kind": "file", "settings": {"path": self.path("engine/out.ndjson")}}},
            "routes": {"default": ["out"]},
        })

    def states(self, zone, state, *hosts):
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write("".join(json.dumps({"host": h, "zone": zone, "state": state}) + "\n" for h in hosts))

    def tidewatch(self, engine, *arguments, env=None):
        result = subprocess.run([Tidewatch.program, *arguments, "--server", engine.address],
                                capture_output=True, text=True, timeout=60, env=env)
        return result.returncode, result.stdout, result.stderr

    def alerts(self, engine, *matchers):
        code, out, err = self.tidewatch(engine, "alerts", *matchers)
        self.assertEqual(code, 0, err)
        return out, err

    def two_zones_down(self):
        engine = self.running()
        self.states("z1", "up", "h1")
        self.states("z2", "up", "h3", "h4", "h5")
        self.states("z1", "down", "h1")
        self.states("z2", "down", "h3", "h4", "h5")
        wait_for("all are open and told", lambda: "5 open, told 2" in self.alerts(engine)[1])
        return engine

    def test_alerts_lists_what_is_open_and_why_nobody_was_told(self):
        engine = self.two_zones_down()
        out, _ = self.alerts(engine)
        self.assertRegex(out, r"^LEVEL +FOR +INCIDENT +RULE +TOLD\n")
        self.assertRegex(out, r"(?m)^warn +\S+ +host:h1 +shop/host_down +yes$")
        self.assertRegex(out, r"(?m)^warn +\S+ +host:h4 +shop/host_down +no: inhibited by zone:z2$")
        self.assertRegex(out, r"(?m)^crit +\S+ +zone:z2 +shop/zone_down +yes$")
        out, err = self.alerts(engine, "severity=crit")
        self.assertEqual((out.count("\n"), err), (2, "5 open, 1 of them shown, told 1\n"))
        out, err = self.alerts(engine, "hsot=h1")
        self.assertEqual(out, "")
        self.assertIn("no open incident has a label 'hsot' (did you mean 'host'?)", err)
        self.assertEqual(self.tidewatch(engine, "alerts", "host")[0], 2)
        found = json.loads(self.tidewatch(engine, "alerts", "-o", "json", "zone=z2", "rule=~.*host.*")[1])
        self.assertEqual({a["incident"] for a in found}, {"host:h3", "host:h4", "host:h5"})
        self.assertEqual(found[0]["held"], [{"why": "inhibited", "by": "zone:z2"}])

    def test_alerts_lists_what_has_a_nul_in_its_values_and_moves_no_cursor(self):
        engine = self.running()
        self.states("z1", "u\0p", "h\x1b[2J1")
        self.states("z1", "down", "h\x1b[2J1")
        wait_for("it is open", lambda: "1 open" in self.alerts(engine)[1])
        self.assertIn(" host:h?[2J1 ", self.alerts(engine)[0])

    def test_ack_takes_what_alerts_prints_and_suggests_the_nearest(self):
        engine = self.two_zones_down()
        self.assertEqual(self.tidewatch(engine, "ack", "--by", "ann", "zone:z2")[:2], (0, ""))
        self.assertRegex(self.alerts(engine)[0], r"(?m)^crit +\S+ +zone:z2 .* yes; acknowledged by ann$")
        code, _, err = self.tidewatch(engine, "ack", "host:g1")
        self.assertEqual(code, 1)
        self.assertIn("(did you mean 'host:h1'?)", err)

    def test_a_restart_says_that_silences_and_acknowledgements_are_gone(self):
        engine = self.two_zones_down()
        self.tidewatch(engine, "silence", "add", "zone=z2")
        self.tidewatch(engine, "ack", "host:h1")
        engine.stop()
        before = len(engine.logged())
        engine.start()
        self.assertIn("silences and acknowledgements begin empty", engine.logged()[before:])
        self.assertEqual(json.loads(engine.get("/api/v1/silences")[1]), [])

    def test_a_silence_says_until_when_whom_it_covers_and_what_nobody_has(self):
        engine = self.two_zones_down()
        nobody = {k: v for k, v in os.environ.items() if k != "USER"}
        code, out, err = self.tidewatch(engine, "silence", "add", "zone=z2", env=nobody)
        self.assertEqual((code, out), (0, "quiet-1\n"))
        self.assertRegex(err, r"^until 20\S+Z, covers 4 open incidents\n$")
        self.assertTrue(json.loads(engine.get("/api/v1/silences")[1])[0]["by"])
        code, out, err = self.tidewatch(engine, "silence", "add", "hsot=h1")
        self.assertEqual((code, out), (0, "quiet-2\n"))
        self.assertIn("covers no open incidents", err)
        self.assertIn("no open incident and no rule has a label 'hsot' (did you mean 'host'?)", err)
        code, out, err = self.tidewatch(engine, "silence", "add", "rule=shop/down", "host=h1")
        self.assertIn("covers 1 open incident\n", err)
        self.assertIn("the rule 'shop/down' is 'shop/host_down' now", err)
        self.assertIn("no rule 'shop/zon_down' (did you mean 'shop/zone_down'?)",
                      self.tidewatch(engine, "silence", "add", "rule=shop/zon_down")[2])
        self.assertRegex(self.alerts(engine, "host=h1")[0], r"yes; silenced by quiet-3 \(59m\d+s more\)\n$")


if __name__ == "__main__":
    unittest.main()
