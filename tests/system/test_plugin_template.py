#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidewatch as it is installed, and a connector of one's own: a copy of the installed template,
built outside of every tree against the installed header, delivers."""
import glob
import json
import os
import shutil
import unittest

from harness import BUILD, SystemTest, Tidewatch, run, wait_for
from hosts import Hosts


class Installed(SystemTest):
    def setUp(self):
        self.prefix = self.path("opt")
        run("cmake", "--install", BUILD, "--prefix", self.prefix)
        program = os.path.join(self.prefix, "bin", "tidewatch")
        self.addCleanup(setattr, Tidewatch, "program", Tidewatch.program)
        Tidewatch.program = program
        self.hosts = Hosts(self)

    def installed(self, name):
        """Where it lies below the prefix; where libraries go differs between systems."""
        found = glob.glob(os.path.join(self.prefix, "**", name), recursive=True)
        self.assertEqual(len(found), 1, name)
        return found[0]

    def copy_of_template(self):
        copy = self.path("my-sink")
        shutil.copytree(self.installed("share/tidewatch/plugins/template"), copy)
        return copy

    def built_with_cmake(self, copy):
        build = os.path.join(copy, "build")
        run("cmake", "-S", copy, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        return build

    def config(self, folder):
        out = self.path("alerts.ndjson")
        shipped = os.path.dirname(self.installed("file.so"))
        sinks = {"mine": {"kind": "append", "settings": {"path": out}}}
        return self.hosts.config(sinks, plugins=[shipped, folder]), out

    def assert_delivers(self, folder):
        config, out = self.config(folder)
        engine = self.engine(config)
        self.hosts.say("down", "h1")
        self.hosts.say("up", "h1")

        def lines():
            with open(out, encoding="utf-8") as f:
                return f.read().splitlines()

        wait_for("two lines", lambda: len(lines()) == 2)
        told = [json.loads(line) for line in lines()]
        self.assertEqual([t["status"] for t in told], ["firing", "resolved"])
        self.assertEqual({t["incident"] for t in told}, {"host:h1"})
        self.assertEqual(engine.metric("tidewatch_append_lines_total", instance="mine"), 2)
        return engine

    def test_a_copy_of_the_template_built_by_cmake_loads_and_delivers(self):
        engine = self.assert_delivers(self.built_with_cmake(self.copy_of_template()))
        self.assertEqual(engine.stop(), 0)

    def test_a_copy_of_the_template_built_by_the_compiler_alone_does_too(self):
        copy = self.copy_of_template()
        run("cc", "-std=gnu11", "-shared", "-fPIC", "-I", os.path.join(self.prefix, "include"),
            "-o", os.path.join(copy, "append.so"), os.path.join(copy, "append.c"), "-ljansson")
        self.assert_delivers(copy)

    def test_the_shipped_plugins_are_found_without_being_named(self):
        out = self.path("out.ndjson")
        self.engine(self.hosts.config({"file": {"kind": "file", "settings": {"path": out}}}))
        self.hosts.say("down", "h1")
        wait_for("it is delivered", lambda: os.path.exists(out) and os.path.getsize(out) > 0)

    def test_a_mistake_in_its_settings_is_told_in_its_own_words(self):
        config, _ = self.config(self.built_with_cmake(self.copy_of_template()))
        config["sinks"]["mine"]["settings"] = {"paht": "x"}
        engine = self.engine(config, start=False).start(ready=False)
        self.assertNotEqual(engine.process.wait(20), 0)
        with open(engine.log(), encoding="utf-8") as log:
            self.assertIn("paht", log.read())

    def test_a_plugin_that_never_stops_does_not_hold_the_end(self):
        copy = self.copy_of_template()
        source = os.path.join(copy, "append.c")
        with open(source, encoding="utf-8") as f:
            text = f.read()
        stuck = text.replace("    a->host->stopped(a->host);\n", "    (void)a;\n")
        self.assertNotEqual(stuck, text)
        self.write("my-sink/append.c", stuck)
        engine = self.assert_delivers(self.built_with_cmake(copy))

        self.assertEqual(engine.stop(20), 1)

        with open(engine.log(), encoding="utf-8") as log:
            self.assertIn("does not stop and is left behind", log.read())


if __name__ == "__main__":
    unittest.main()
