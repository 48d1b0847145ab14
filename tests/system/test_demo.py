#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tidewatch demo`: the whole river without a server. What a newcomer sees, and what the exit code
promises."""
import json
import os
import re
import shutil
import signal
import subprocess
import unittest

from harness import SystemTest, Tidewatch, fetch, wait_for

KINDS = ("demo/no_room", "demo/error_ratio", "demo/queue_depth")  # on an event, on a window, on a metric
PACKAGES = ("failures/exhausted_memory", "failures/crash_loop", "failures/after_deploy", "failures/zone_down",
            "scaling/out_without_effect", "provisioning/stuck_pod")


def rules_told(text, status):
    """Rules of the alerts with this status, in the order of the story."""
    return re.findall(rf"(?:->|<-) {status}(?:.*\n {{26}})*?.*rule (\S+)", text)


class Demo(SystemTest):
    def start(self, *arguments, program=None):
        self.output = self.path("output")
        self.logs.append(self.output)
        out = open(self.output, "wb")
        process = subprocess.Popen([program or Tidewatch.program, "demo", *arguments], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   env=dict(os.environ, TMPDIR=self.folder))
        out.close()
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def text(self):
        with open(self.output, encoding="utf-8") as f:
            return f.read()

    def test_the_story_is_told_and_its_alerts_fire_and_resolve(self):
        process = self.start("--for", "20s")
        address = wait_for("the address", lambda: re.search(r"http://\S+/metrics", self.text()))
        self.assertEqual(fetch(address.group())[0], 200)

        self.assertEqual(process.wait(60), 0, self.text())

        text = self.text()
        self.assertEqual(sorted(rules_told(text, "FIRING")), sorted((*KINDS, *PACKAGES, "demo/it_helped")), text)
        self.assertEqual(sorted(rules_told(text, "RESOLVED")), sorted((*KINDS, *PACKAGES)), text)
        for rule in (*KINDS, *PACKAGES):
            self.assertRegex(text, rf"{rule} +1 fired, 1 resolved")
        self.assertNotIn("\033", text)
        self.assertEqual([line for line in text.split("What next")[0].splitlines() if len(line) > 100], [])
        self.assertEqual(os.listdir(self.folder), ["output"], "the demo cleans up")

        text = re.sub(r"\s+", " ", text)  # lines may be broken anywhere
        self.assertIn("zone eu-1c: ", text)
        self.assertRegex(text, r"failures/host_down +100 held back since failures/zone_down was told")
        self.assertRegex(text, r"HELD BACK +1 of failures/after_config_change since failures/after_deploy is told")
        self.assertRegex(text, r"one page instead of 6: checkout-5 checkout-6 .* checkout-10")
        self.assertRegex(text, r"v2\.4 of payments failed 5 times since it went out.*?evidence deploys \d:\d+, "
                               r"failure_events \d:\d+")
        opened, alerts = map(int, re.search(r"(\d+) incidents opened, and people were told of them by (\d+)",
                                            text).groups())
        self.assertGreater(opened, 110)
        self.assertEqual(alerts, 10)

    def test_a_demo_cut_short_says_what_is_missing(self):
        process = self.start("--for", "20s")
        wait_for("the story has begun", lambda: "all is quiet" in self.text())
        process.send_signal(signal.SIGINT)

        self.assertEqual(process.wait(30), 1)

        self.assertIn("tidewatch demo: demo/no_room has not fired", self.text())

    def test_an_edit_while_it_runs_is_part_of_the_story(self):
        built = os.path.dirname(Tidewatch.program)
        for name in ("rules", "plugins"):
            shutil.copytree(os.path.join(built, name), self.path(f"own/{name}"),
                            ignore=shutil.ignore_patterns("CMakeFiles", "*.a"))
        process = self.start("--for", "20s", program=shutil.copy(Tidewatch.program, self.path("own")))
        wait_for("the story has begun", lambda: "all is quiet" in self.text())
        path = self.path("own/rules/demo/queue_depth.lua")
        with open(path, encoding="utf-8") as f:
            before = f.read()
        self.write("own/rules/demo/queue_depth.lua", before + "\nlocal looked_at = 1\n")
        wait_for("the edit is told", lambda: "your edit" in self.text())
        self.write("own/rules/demo/queue_depth.lua", before + "\nthis is no Lua\n")
        wait_for("the slip is told", lambda: re.search(r"refused; .*\n +queue_depth\.lua:\d+:", self.text()))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 1)
        self.assertNotIn("level=error", self.text())
        self.assertIn("What next", self.text())

    def test_the_printed_configuration_runs_as_it_is(self):
        printed = subprocess.run([Tidewatch.program, "demo", "--for", "20s", "--print-config"],
                                 capture_output=True, text=True, cwd=self.folder, timeout=30)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        config = self.write("demo.yaml", printed.stdout)
        self.output = self.path("output")
        with open(self.output, "wb") as out:
            process = subprocess.Popen([Tidewatch.program, "run", "-c", config],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        wait_for("an alert", lambda: rules_told(self.text(), "FIRING"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, self.text())

    def test_the_recorded_incident_tells_the_same_through_replay(self):
        printed = subprocess.run([Tidewatch.program, "demo", "--print-config"], check=True,
                                 capture_output=True, text=True, cwd=self.folder, timeout=30)
        rules = re.search(r'paths: \["(.*?)"', printed.stdout).group(1)
        result = subprocess.run([Tidewatch.program, "replay", "--rules", rules, "--input",
                                 os.path.join(rules, "incident.ndjson")], check=True,
                                capture_output=True, text=True, timeout=60)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        for rule in KINDS:
            self.assertEqual([n["status"] for n in told if n["rule"] == rule],
                             ["firing", "resolved"])

    def test_a_wrong_option_is_a_usage_error(self):
        for arguments in (["--for", "5s"], ["--for", "soon"], ["--fast"], ["more"]):
            self.assertEqual(self.start(*arguments).wait(10), 2, arguments)


if __name__ == "__main__":
    unittest.main()
