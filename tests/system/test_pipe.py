#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An engine as a filter: events come by its standard input."""
import json
import os
import subprocess
import unittest

from harness import SystemTest, Tidewatch, free_port, wait_for

RULE = """rule "shop/errors" {
  key = { "host" },
  inputs = { ev = from "events" { severity = "error" } },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 3 } },
  alert = incident { id = "errors:${host}" },
}
"""


class Pipe(SystemTest):
    def run_on_a_pipe(self, **settings):
        """An engine whose standard input has three errors and ends; its log is in the file log."""
        self.write("rules/shop.lua", RULE)
        self.write("tw.json", json.dumps({
            "control": {"listen": f"127.0.0.1:{free_port()}"},
            "sources": {"in": {"kind": "file", "settings": {"path": "-", **settings}}},
            "streams": {"events": {"source": "in"}},
            "rules": {"paths": ["rules"]},
            "sinks": {"out": {"kind": "file", "settings": {"path": "out.ndjson"}}},
            "routes": {"default": "out"}}))
        with open(self.path("log"), "w") as log:
            process = subprocess.Popen([Tidewatch.program, "run", "-c", "tw.json"], cwd=self.folder,
                                       stdin=subprocess.PIPE, stderr=log, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write('{"host": "h1", "severity": "error"}\n' * 3)
        process.stdin.close()
        return process

    def told(self):
        path = self.path("out.ndjson")
        return open(path).read().count("firing") if os.path.exists(path) else 0

    def test_a_run_ends_with_its_standard_input(self):
        process = self.run_on_a_pipe()
        self.assertEqual((process.wait(30), self.told()), (0, 1))
        with open(self.path("log")) as log:
            self.assertIn("standard input has ended, and nothing else is left", log.read())

    def test_a_run_that_follows_its_standard_input_stays(self):
        process = self.run_on_a_pipe(follow=True)
        wait_for("the alert", lambda: self.told() == 1)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        self.assertEqual(process.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
