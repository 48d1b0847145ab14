#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A configuration with several mistakes: all of them are told at once, by every command that reads it."""
import unittest

import test_cli
from harness import SystemTest


class Mistakes(SystemTest):
    tidewatch = test_cli.Cli.tidewatch

    def test_check_tells_all_mistakes_of_a_configuration_at_once(self):
        self.write("tw.yaml", "lane: 2\nsinks: { a: { kind: file, max_age: soon }, b: { knid: file } }\n"
                              "streams: { s: { source: x, format: xml } }\n")
        code, out, err = self.tidewatch("check", "tw.yaml")
        self.assertEqual(code, 78)
        self.assertEqual([line.split(" ", 1)[0] for line in out.splitlines()],
                         ["tw.yaml:1:1:", "tw.yaml:2:36:", "tw.yaml:2:44:", "tw.yaml:2:49:", "tw.yaml:3:36:"], out)
        self.assertIn("rules, tables and connectors are looked at when the configuration itself is right", err)
        self.write("tw.yaml", "sources: { f: { kind: file } }\nstreams: { s: { source: g } }\n"
                              "routes: { default: none }\ntables: { t: { path: '' } }\n")
        code, out, _ = self.tidewatch("check", "tw.yaml")
        self.assertEqual([line.split(":")[1] for line in out.splitlines()], ["2", "3", "4"], out)
        self.assertEqual(self.tidewatch("run", "-c", "tw.yaml")[2], out)


if __name__ == "__main__":
    unittest.main()
