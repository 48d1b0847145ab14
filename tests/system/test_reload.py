#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reload reads the configuration file again: rules and tables are taken over, all else is told."""
import json
import os
import re
import signal
import subprocess
import unittest

from harness import SystemTest, Tidewatch, wait_for

RULE = """rule "shop/errors" {
  params = { fire = 10 },
  inputs = { err = from "logs" { level = "error" } },
  key    = { "host" },
  detect = level { of = count "err", over = "1m", warn = { at_least = P"fire" } },
  alert  = incident { id = "e:${host}", title = "${value}" },
}
"""


STEPS = """rule "shop/release" {
  inputs = { deploy = from "logs" { level = "deploy" }, err = from "logs" { level = "error" } },
  key    = { "host" },
  detect = seq { { "deploy" }, { "err", times = 2, within = "1h" } },
  alert  = incident { id = "r:${host}" },
}
"""


class Reload(SystemTest):
    def running(self, **rules):
        self.write("engine/in.ndjson", "")
        self.write("engine/rules/errors.lua", RULE)
        return self.engine({
            "lanes": 1,
            "sources": {"in": {"kind": "file", "settings": {
                "path": self.path("engine/in.ndjson"), "follow": True}}},
            "streams": {"logs": {"source": "in"}},
            "rules": {"paths": ["rules"], **rules},
            "sinks": {"out": {"kind": "file",
                              "settings": {"path": self.path("engine/out.ndjson")}}},
            "routes": {"default": ["out"]},
        })

    def change(self, engine, change):
        with open(engine.file, encoding="utf-8") as f:
            config = json.load(f)
        change(config)
        self.write("engine/tidewatch.json", json.dumps(config, indent=2))

    def generation(self, engine):
        return json.loads(engine.get("/api/v1/status")[1])["generation"]

    def test_params_paths_and_limits_of_rules_are_taken_over(self):
        engine = self.running()
        self.change(engine, lambda c: c["rules"].update(params={"shop/errors": {"fire": 2}}))
        status, report = engine.reload()
        self.assertEqual((status, report["changed"], report["takes_restart"]), (200, 1, []))
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write('{"level":"error","host":"h1"}\n' * 2)
        wait_for("the alert by the new limit",
                 lambda: os.path.getsize(self.path("engine/out.ndjson")))

        self.write("engine/more/other.lua", RULE.replace("shop/errors", "shop/other"))
        self.change(engine, lambda c: c["rules"].update(paths=["rules", "more"]))
        status, report = engine.reload()
        self.assertEqual((status, report["added"], report["unchanged"]), (200, 1, 1))

        self.change(engine, lambda c: c["rules"].update(limits={"memory": "64MiB"}))
        status, report = engine.reload()
        self.assertEqual((status, report["findings"]), (200, []))
        self.assertEqual(self.generation(engine), 4)

    def test_a_plan_tells_what_a_reload_would_do_and_changes_nothing(self):
        engine = self.running()
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write('{"level":"error","host":"h1"}\n{"level":"error","host":"h2"}\n')
        wait_for("both keys", lambda: json.loads(engine.get("/api/v1/status")[1])["rules"][0]["keys"] == 2)
        self.write("next/errors.lua", RULE.replace('title = "${value}"', 'title = "x"'))
        self.write("next/more.lua", RULE.replace("shop/errors", "shop/more"))
        code, out, _ = self.plan(engine, "next")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"shop/errors +changed +kept +2 +alert +the edit does not touch it")
        self.assertRegex(out, r"shop/more +added +new")
        self.assertIn("0 of 2 rules unchanged", out)

        self.write("next/errors.lua", RULE.replace('{ "host" }', '{ "host", "zone" }'))
        self.assertRegex(self.plan(engine, "next")[1], r"shop/errors +changed +cold +2 +key +the key is another one; what it knew is parked for 1h")
        self.write("next/errors.lua", RULE.replace("shop/errors", "shop/other"))
        self.assertRegex(self.plan(engine, "next")[1],
                         r"shop/errors +removed +parked +2 +for 1h; what it has open resolves")
        self.write("next/errors.lua", RULE.replace("shop/errors\" {", "shop/other\" {\n  was = \"shop/errors\","))
        self.assertRegex(self.plan(engine, "next")[1],
                         r"shop/other +moved +kept +2 +was +it was shop/errors; the edit does not touch it")
        self.assertIn("1 of 1 rules unchanged", self.plan(engine)[1])

        self.write("next/errors.lua", RULE.replace("shop/errors", "shop/other") +
                   'test "gone" { rule = "shop/errors", feed = { { "0s", "logs", {} } }, expect = {} }\n')
        code, out, err = self.plan(engine, "next")
        self.assertEqual(code, 0)
        self.assertRegex(out + err, r"errors\.lua:\d+:\d+: there is no rule 'shop/errors' among .*\[warning\]")
        self.assertRegex(out, r"shop/errors +removed +parked")

        self.write("next/errors.lua", RULE.replace("detect", "detcet"))
        code, out, err = self.plan(engine, "next")
        self.assertEqual(code, 1)
        self.assertIn("did you mean 'detect'?", out)
        self.assertIn("would be refused", err)
        self.assertEqual(self.generation(engine), 1)
        status, report = engine.reload()
        self.assertEqual([r["change"] for r in report["rules"]], ["unchanged"])

    def test_a_plan_names_what_happens_at_once_and_which_values_are_others(self):
        engine = self.running()
        held = RULE.replace("fire = 10", "fire = 1").replace('P"fire" }', 'P"fire", hold = "1h" }')
        self.write("engine/rules/errors.lua", held)
        self.assertEqual(engine.reload()[0], 200)
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write('{"level":"error","host":"h1"}\n{"level":"error","host":"h2"}\n')
        self.write("next/errors.lua", held.replace('hold = "1h"', 'hold = "1s"'))
        wait_for("the hold has lasted", lambda: re.search(
            r"shop/errors +changed +kept +2 .*what has held as long as it now must is told at once; at once: 2 keys fire$",
            self.plan(engine, "next")[1], re.M))
        self.write("next/errors.lua", held.replace("fire = 1 ", "fire = 0.5 "))
        self.assertRegex(self.plan(engine, "next")[1], r"(?m)judged by the new limits .*; fire 1 -> 0\.5$")

        self.write("engine/rules/errors.lua", RULE.replace("fire = 10", "fire = 1").replace('id = "e:${host}", ', ""))
        self.assertEqual(engine.reload()[0], 200)
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write('{"level":"error","host":"h1"}\n{"level":"error","host":"h2"}\n')
        wait_for("both are open", lambda: json.loads(engine.get("/api/v1/status")[1])["incidents_open"] == 2)
        renamed = RULE.replace("fire = 10", "fire = 1").replace('id = "e:${host}", ', "").replace(
            'shop/errors" {', 'shop/other" { was = "shop/errors",')
        self.write("next/errors.lua", renamed)
        self.assertRegex(self.plan(engine, "next")[1],
                         r"shop/other +moved +kept .*; resolves shop/errors:h\d, shop/errors:h\d, which open anew under the new name")
        self.write("next/errors.lua", renamed.replace(' was = "shop/errors",', ""))
        self.assertRegex(self.plan(engine, "next")[1], r"shop/errors +removed +parked .*; resolves shop/errors:h\d, shop/errors:h\d\n")
        self.write("engine/rules/errors.lua", renamed)
        self.assertEqual(engine.reload()[0], 200)
        self.assertRegex(engine.logged(), r'"rules taken over" .*moved=1 .*renamed="shop/other was shop/errors"')

    def test_a_plan_says_of_one_incident_that_it_opens_anew(self):
        engine = self.running()
        rule = RULE.replace("fire = 10", "fire = 1").replace('id = "e:${host}", ', "")
        self.write("engine/rules/errors.lua", rule)
        self.assertEqual(engine.reload()[0], 200)
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            f.write('{"level":"error","host":"h1"}\n')
        wait_for("it is open", lambda: json.loads(engine.get("/api/v1/status")[1])["incidents_open"] == 1)
        self.write("next/errors.lua", rule.replace('shop/errors" {', 'shop/other" { was = "shop/errors",'))
        self.assertIn("; resolves shop/errors:h1, which opens anew under the new name", self.plan(engine, "next")[1])

    def test_a_rule_that_is_gone_waits_and_comes_back(self):
        engine = self.running()
        self.write("engine/rules/errors.lua", RULE.replace("shop/errors", "shop/other").replace("1m", "2m"))
        status, report = engine.reload()
        self.assertEqual((status, report["added"], report["removed"]), (200, 1, 1))
        parked = json.loads(engine.get("/api/v1/status")[1])["parked"]
        self.assertEqual([p["rule"] for p in parked], ["shop/errors"])
        self.write("next/errors.lua", RULE)
        self.assertRegex(self.plan(engine, "next")[1], r"shop/errors +added +revived +parked \d+s ago; ")
        self.write("engine/rules/errors.lua", RULE)
        status, report = engine.reload()
        self.assertEqual((status, report["added"], report["revived"]), (200, 1, 1))
        parked = json.loads(engine.get("/api/v1/status")[1])["parked"]
        self.assertEqual([p["rule"] for p in parked], ["shop/other"])

    def test_a_plan_counts_open_matches_by_step_and_the_reload_says_what_became_of_them(self):
        engine = self.running()
        self.write("engine/rules/errors.lua", STEPS)
        self.assertEqual(engine.reload()[0], 200)
        with open(self.path("engine/in.ndjson"), "a", encoding="utf-8") as f:
            for host in "abc":
                f.write('{"level":"deploy","host":"%s"}\n' % host)
            for host in "ab":
                f.write('{"level":"error","host":"%s"}\n' % host)
        wait_for("all events", lambda: json.loads(engine.get("/api/v1/status")[1])["rules"][0]["events"] == 5)
        wanted = (STEPS.replace('{ "deploy" },', '{ "deploy" }, { absent = "deploy" },').replace(
            "  alert", '  migrate = function(old) if old.key.host == "a" then return old.step end end,\n  alert'))
        self.write("next/errors.lua", wanted)
        self.assertRegex(self.plan(engine, "next")[1],
                         r"shop/release +changed +partly +3 .*beyond are given to migrate; open: 3 wait for err")
        self.write("engine/rules/errors.lua", wanted)
        status, report = engine.reload()
        self.assertEqual((status, report["rules"][0]["matches"]),
                         (200, {"kept": 1, "migrated": 1, "dropped": 1}))

    def plan(self, engine, *paths):
        result = subprocess.run([Tidewatch.program, "plan", *paths, "--server", engine.address],
                                cwd=self.folder, capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout, result.stderr

    def test_what_is_wrong_with_rules_in_the_configuration_is_told_there(self):
        engine = self.running()
        self.change(engine, lambda c: c["rules"].update(
            params={"shop/errors": {"fire": "many", "fier": 1}}, paths=["rules", "ruless"]))
        status, report = engine.reload()
        self.assertEqual(status, 422)
        with open(engine.file, encoding="utf-8") as f:
            lines = f.read().splitlines()
        told = {lines[f["line"] - 1].split(":")[0].strip(' ",'): f["text"]
                for f in report["findings"] if f["file"] == engine.file}
        self.assertEqual(sorted(told), ["fier", "fire", "ruless"])
        self.assertIn("of another type", told["fire"])
        self.assertIn("did you mean 'fire'?", told["fier"])
        self.assertIn("No such file", told["ruless"])

    def test_what_takes_a_restart_is_named_with_its_place(self):
        engine = self.running()

        def change(c):
            c["lanes"] = 2
            c["sinks"]["out"]["queue"] = 5
            c["sinks"]["more"] = {"kind": "stdout"}
        self.change(engine, change)
        status, report = engine.reload()
        self.assertEqual(status, 200)
        self.assertEqual(sorted(report["takes_restart"]), ["lanes", "sinks.more", "sinks.out"])
        for finding in report["findings"]:
            self.assertEqual((finding["warning"], finding["file"]), (True, engine.file))
            self.assertGreater(finding["line"], 0)
            self.assertIn("takes a restart", finding["text"])
        self.assertIn("'sinks.more' is not what runs; the change takes a restart",
                      engine.logged())

    def test_a_broken_file_refuses_the_reload_and_the_old_rules_run_on(self):
        engine = self.running()
        with open(engine.file, encoding="utf-8") as f:
            good = f.read()
        for broken in (good.replace('"paths"', '"pahts"'), good[:-3]):
            self.write("engine/tidewatch.json", broken)
            status, report = engine.reload()
            self.assertEqual((status, report["ok"]), (422, False))
            finding, = report["findings"]
            self.assertEqual((finding["warning"], finding["file"]), (False, engine.file))
            self.assertGreater(finding["line"], 1)
            self.assertGreater(finding["column"], 0)
        self.assertEqual(self.generation(engine), 1)
        self.write("engine/tidewatch.json", good)
        self.assertEqual(engine.reload()[0], 200)

    def test_tables_are_taken_over_and_a_bad_one_refuses(self):
        engine = self.running()
        self.write("engine/owners.csv", "service,team\npay,core\n")
        self.change(engine, lambda c: c.update(tables={"owners": {"path": "owners.csv"}}))
        self.write("engine/rules/errors.lua", RULE.replace(
            "  alert ", '  enrich = { owner = lookup { "owners", key = "host" } },\n  alert '))
        status, report = engine.reload()
        self.assertEqual((status, report["findings"]), (200, []))
        tables = json.loads(engine.get("/api/v1/status")[1])["tables"]
        self.assertEqual([(t["name"], t["rows"]) for t in tables], [("owners", 1)])

        self.change(engine, lambda c: c.update(tables={"owners": {"path": "nowhere.csv"}}))
        status, report = engine.reload()
        self.assertEqual((status, report["error"]), (422, "a table cannot be read"))
        self.assertEqual(report["findings"][0]["file"], engine.file)
        self.assertGreater(report["findings"][0]["line"], 0)
        self.assertEqual(self.generation(engine), 2)

    def test_sighup_and_the_watch_read_the_configuration_too(self):
        engine = self.running()
        self.change(engine, lambda c: c["rules"].update(params={"shop/errors": {"fire": 2}}))
        engine.process.send_signal(signal.SIGHUP)
        wait_for("SIGHUP took the parameter over", lambda: self.generation(engine) == 2)

        self.change(engine, lambda c: c["rules"].update(watch=True))
        self.assertEqual(engine.reload()[0], 200)
        self.change(engine, lambda c: c["rules"].update(params={"shop/errors": {"fire": 3}}))
        wait_for("the watch took the parameter over", lambda: self.generation(engine) == 4)

        self.write("engine/rules/errors.lua", RULE.replace("rule ", "ruel "))
        self.change(engine, lambda c: c["rules"].update(paths=["rules", "more"]))
        wait_for("the broken rule is refused", lambda: "refused" in engine.logged())
        self.write("engine/rules/errors.lua", RULE)
        self.write("engine/more/other.lua", RULE.replace("shop/errors", "shop/other"))
        wait_for("the rule that was put right runs", lambda: self.generation(engine) >= 5)


if __name__ == "__main__":
    unittest.main()
