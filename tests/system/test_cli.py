#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands as a person or a script meets them: what they print, where, and how they exit."""
import json
import os
import re
import subprocess
import unittest

from harness import ROOT, SystemTest, Tidewatch, free_port, wait_for

RULE = """rule "shop/errors" {
  key = { "host" },
  inputs = { ev = from "events" { severity = "error" } },
  detect = level { of = count "ev", over = "5m", crit = { at_least = 3 } },
  alert = incident { id = "errors:${host}", route = "ops", title = "${value} errors on ${host}" },
}
"""
COMMANDS = ["run", "demo", "check", "replay", "config", "status", "alerts", "plan", "reload",
            "silence", "ack", "test", "version"]
LATER = ["rollback", "shadow", "promote", "explain", "top", "tap"]


class Cli(SystemTest):
    def tidewatch(self, *arguments, text=None, env=None):
        """(exit code, stdout, stderr) of a run in the test's folder."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TIDEWATCH")}
        result = subprocess.run([Tidewatch.program, *arguments], cwd=self.folder, input=text,
                                capture_output=True, text=True, timeout=60,
                                env={**clean, **(env or {})})
        return result.returncode, result.stdout, result.stderr

    def config(self, **changes):
        """A configuration that is fine: a file of events, a rule, a sink."""
        self.write("rules/shop.lua", RULE)
        self.write("in.ndjson", "")
        return {"sources": {"in": {"kind": "file"}},
                "streams": {"events": {"source": "in", "topics": ["in.ndjson"]}},
                "rules": {"paths": ["rules"]},
                "sinks": {"out": {"kind": "file", "settings": {"path": "out.ndjson"}}},
                "routes": {"default": "out"}, **changes}

    def write_config(self, name="tw.json", **changes):
        self.write(name, json.dumps(self.config(**changes)))
        return name

    # --- all commands -------------------------------------------------------

    def test_every_command_explains_itself_with_an_example(self):
        listing = self.tidewatch("--help")[1]
        for name in COMMANDS:
            code, out, err = self.tidewatch(name, "--help")
            self.assertEqual((code, err), (0, ""), name)
            self.assertIn(f"usage: tidewatch {name}", out)
            self.assertRegex(out, f"example:\n  tidewatch {name}")
            self.assertRegex(listing, rf"(?m)^  {name} ")
            self.assertLessEqual(max(map(len, out.splitlines())), 100, name)

    def test_what_is_not_built_yet_is_refused_and_listed_so(self):
        built, _, later = self.tidewatch("help")[1].partition("not supported yet")
        for name in LATER:
            code, out, err = self.tidewatch(name)
            self.assertEqual((code, out), (2, ""), name)
            self.assertIn("not supported yet", err)
            self.assertRegex(later, rf"(?m)^  {name} ")
            self.assertNotRegex(built, rf"(?m)^  {name} ")

    def test_a_misspelt_command_or_option_gets_the_nearest_name(self):
        for arguments, wanted in [
                (["chekc"], "unknown command 'chekc' (did you mean 'check'?)"),
                (["rn", "-c", "x"], "did you mean 'run'?"),
                (["check", "--outptu=json", "x"], "did you mean '--output'?"),
                (["run", "--confg", "x"], "did you mean '--config'?"),
                (["status", "--sevrer", "x"], "did you mean '--server'?"),
                (["replay", "--lnaes", "2"], "did you mean '--lanes'?"),
                (["demo", "--fro", "20s"], "did you mean '--for'?"),
                (["config", "shema"], "did you mean 'schema'?")]:
            code, out, err = self.tidewatch(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertIn(wanted, err)

    def test_wrong_usage_ends_with_2(self):
        for arguments in [[], ["check"], ["config"], ["config", "print"], ["run"], ["run", "-c"],
                          ["version", "more"], ["status", "-o", "xml"], ["run", "-z"],
                          ["check", "in.txt"], ["replay"], ["reload", "--server", "nowhere"]]:
            self.assertEqual(self.tidewatch(*arguments)[0], 2, arguments)

    def test_a_variable_as_shells_write_it_is_told_how_to_write(self):
        self.write_config(sinks={"out": {"kind": "file", "settings": {"path": "${OUT_PATH}"}}})
        code, out, err = self.tidewatch("check", "tw.json")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"(?m)^tw.json:\d+:\d+: sink 'out': 'path' has a \$\{NAME\}, .*"
                              r"\$\{env:NAME\} \[warning\]$")

    # --- replay -------------------------------------------------------------

    def test_replay_says_when_it_cannot_read_or_write(self):
        self.write("rules/shop.lua", RULE)
        self.write("in.ndjson", '{"at": 1000}\n')
        self.write("loud.ndjson", "".join(
            json.dumps({"at": 1000 + i, "stream": "events", "event": {"severity": "error", "host": f"h{i % 20}"}}) + "\n"
            for i in range(100)))
        replay = [Tidewatch.program, "replay", "--rules", "rules", "--input"]
        for arguments, wanted in [("in.ndjson", None), (". ", "directory"),
                                  ("- <&-", "Bad file descriptor"),
                                  ("loud.ndjson", None), ("loud.ndjson >&-", "cannot be written"),
                                  ("loud.ndjson >/dev/full", "No space left"),
                                  ("loud.ndjson | head -n 1", None)]:
            result = subprocess.run(" ".join(replay) + " " + arguments, shell=True,
                                    cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 1 if wanted else 0, (arguments, result))
            self.assertIn(wanted or "", result.stderr)

    def test_replay_refuses_times_that_no_calendar_has(self):
        self.write("rules/shop.lua", RULE)
        for at in ("9223372036854775807", "-1", "-9223372036854775808", "253402300800000",
                   '"0001-01-01T00:00:00Z"'):
            code, out, err = self.tidewatch("replay", "--rules", "rules", "--input", "-",
                                            text=f'{{"at": {at}}}\n' * 2)
            self.assertEqual((code, out), (1, ""), at)
            self.assertEqual(err, "-:1: 'at' lies outside the years 1970 to 9999\n")

    # --- check --------------------------------------------------------------

    def test_check_is_content_with_what_run_takes(self):
        code, out, err = self.tidewatch("check", self.write_config(dead_letters={"sink": "out"}))
        self.assertEqual((code, out), (0, ""))
        self.assertEqual(err, "1 configuration, 1 rule: 0 errors, 0 warnings\n")
        self.assertEqual(self.tidewatch("check", "rules")[0], 0)
        code, out, err = self.tidewatch("check", self.write_config())
        self.assertEqual(code, 0)
        self.assertRegex(out, r"nobody keeps what a sink refuses .*\[warning\]")
        self.assertEqual(self.tidewatch("check", "rules/shop.lua", "tw.json")[0], 0)
        self.assertFalse(os.path.exists(self.path("out.ndjson")), "check started a sink")

    def test_check_tells_findings_of_rules_with_their_place(self):
        self.write("rules/shop.lua", RULE.replace("count", "cuont"))
        code, out, _ = self.tidewatch("check", "rules/shop.lua")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^rules/shop.lua:4:\d+: .*\(did you mean 'count'\?\)\n$")

    def test_check_holds_rules_against_the_streams_of_the_configuration(self):
        config = self.write_config(dead_letters={"sink": "out"})
        self.write("extra.lua", RULE.replace('"events"', '"evnets"').replace("shop/", "shop/x-"))
        self.assertEqual(self.tidewatch("check", "extra.lua")[0], 0)
        code, out, _ = self.tidewatch("check", config, "extra.lua")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^extra.lua:3:\d+: .*\(did you mean 'events'\?\)\n$")

    def test_check_says_that_a_rule_expects_nobody_of_its_table(self):
        self.write("hosts.csv", "host,state\nh1,running\n")
        config = self.write_config(dead_letters={"sink": "out"}, tables={"hosts": {"path": "hosts.csv"}})
        rule = ('rule "fleet/silent" { key = { "host" }, inputs = { hb = from "events" {} },\n'
                '  detect = missing { "hb", every = "1m", expect = { table = "hosts", where = { %s } } },\n'
                '  alert = incident {} }\n')
        self.write("rules/fleet.lua", rule % 'state = "running"')
        self.assertEqual(self.tidewatch("check", config)[:2], (0, ""))
        self.write("rules/fleet.lua", rule % 'stat = "running"')
        code, out, _ = self.tidewatch("check", config)
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^rules/fleet.lua:2:\d+: table 'hosts' has no column 'stat' \(did you mean 'state'\?\)\n$")
        self.write("rules/fleet.lua", rule % 'state = "runing"')
        code, out, _ = self.tidewatch("check", config)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"fleet.lua:1: rule 'fleet/silent' expects nobody: of the 1 rows of table 'hosts' .*\[warning\]")

    def test_check_and_replay_hold_rules_against_strict_streams(self):
        text = self.config(dead_letters={"sink": "out"})
        text["streams"]["events"].update(strict=True, fields={"host": "text", "severity": "text"})
        self.write("tw.json", json.dumps(text))
        self.assertEqual(self.tidewatch("check", "tw.json")[:2], (0, ""))
        self.write("bad.lua", RULE.replace("shop/", "shop/x-").replace("severity", "severty"))
        wanted = r"^bad.lua:\d+:\d+: stream 'events' is strict and declares no field 'severty' \(did you mean 'severity'\?\)\n"
        self.write("none.ndjson", "")
        code, out, _ = self.tidewatch("check", "tw.json", "bad.lua")
        self.assertEqual(code, 1)
        self.assertRegex(out, wanted)
        code, _, err = self.tidewatch("replay", "-c", "tw.json", "--rules", "bad.lua", "--input", "none.ndjson")
        self.assertEqual(code, 1)
        self.assertRegex(err, wanted)

    def test_check_ends_with_78_for_a_wrong_configuration(self):
        wrong = {
            "lane: 2\n": "tw.yaml:1:1: unknown key 'lane' (did you mean 'lanes'?)",
            "lanes: [\n": "tw.yaml:2:1: ",
            "sinks:\n  a:\n    kind: flie\n": "tw.yaml:3:5: .*\\bfile\\b",
            "sinks:\n  a:\n    kind: file\n    settings: { paht: x }\n":
                "tw.yaml:4:17: sink 'a': there is no setting 'paht' (did you mean 'path'?)",
            "tables:\n  t:\n    path: none.csv\n": "tw.yaml:3:5: table 't': .*none.csv: ",
            "sources: { f: { kind: file } }\ntables: { t: { source: f } }\n":
                "tw.yaml:2:16: table 't': a source of kind 'file' cannot be read as a table",
            "plugins: [nowhere]\n": "tw.yaml:1:1: .*nowhere: ",
        }
        for text, wanted in wrong.items():
            self.write("tw.yaml", text)
            pattern = wanted if ".*" in wanted or wanted.endswith(": ") else re.escape(wanted)
            for command in (["check", "tw.yaml"], ["run", "-c", "tw.yaml"]):
                code, out, err = self.tidewatch(*command)
                self.assertEqual(code, 78, (text, out, err))
                self.assertRegex(out or err, f"(?m)^{pattern}")
        self.assertEqual(self.tidewatch("check", "missing.yaml")[0], 78)

    def test_check_as_json_has_the_same_findings(self):
        self.write("rules/shop.lua", RULE.replace("count", "cuont"))
        code, out, err = self.tidewatch("check", "-o", "json", "rules")
        report = json.loads(out)
        self.assertEqual((code, err, report["ok"]), (1, "", False))
        self.assertEqual((report["findings"][0]["file"], report["findings"][0]["line"]),
                         ("rules/shop.lua", 4))

    # --- config -------------------------------------------------------------

    def test_config_print_hides_secrets_and_reads_back(self):
        control = {"listen": f"127.0.0.1:{free_port()}", "token": "${env:TOKEN}"}
        config = self.write_config(control=control)
        code, written, _ = self.tidewatch("config", "print", "-c", config,
                                          env={"TOKEN": "hush-hush"})
        self.assertEqual(code, 0)
        self.assertNotIn("hush", written)
        self.assertIn("<secret>", written)
        self.assertNotIn("queue", written)
        _, effective, _ = self.tidewatch("config", "print", "--effective", "-c", config,
                                         env={"TOKEN": "hush-hush"})
        self.assertIn("queue: 10000", effective)
        self.assertNotIn("hush", effective)
        self.write("again.yaml", effective)
        again = self.tidewatch("config", "print", "--effective", "-c", "again.yaml")[1]
        self.assertEqual(again, effective)

    def test_config_print_as_json_is_json(self):
        config = self.write_config()
        code, out, _ = self.tidewatch("config", "print", "--effective", "-o", "json", "-c", config)
        tree = json.loads(out)
        self.assertEqual((code, tree["sinks"]["out"]["queue"]), (0, 10000))
        self.assertEqual(tree["streams"]["events"]["format"], "json")
        self.assertEqual(tree["sources"]["in"]["settings"]["follow"], False)
        self.assertEqual(tree["sinks"]["out"]["settings"], {"path": "out.ndjson", "fsync": False})

    def test_the_schema_is_json_schema_and_takes_what_the_engine_takes(self):
        schema = json.loads(self.tidewatch("config", "schema")[1])
        self.check_schema(schema)
        tree = json.loads(self.tidewatch("config", "print", "--effective", "-o", "json", "-c",
                                         self.write_config())[1])
        try:
            import jsonschema
        except ImportError:
            return
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        validator.validate(tree)
        for wrong in ({"lane": 1}, {"lanes": 0}, {"lanes": "2"}, {"sinks": {"a": {}}},
                      {"log": {"level": "loud"}}, {"shutdown": {"drain": "soon"}},
                      {"sources": {"a": {"kind": "kafka", "settings": {"broker": "b:9092"}}}},
                      {"sinks": {"a": {"kind": "webhook"}}}):
            self.assertFalse(validator.is_valid(wrong), wrong)

    def test_the_schema_holds_the_settings_of_each_kind(self):
        items = json.loads(self.tidewatch("config", "schema")[1])["properties"]
        for section, kind, setting in [("sources", "kafka", "brokers"), ("sources", "file", "path"),
                                       ("sources", "prometheus", "targets"),
                                       ("sinks", "webhook", "url"), ("sinks", "kafka", "topic")]:
            rules = {rule["if"]["properties"]["kind"]["const"]: rule["then"]["properties"]["settings"]
                     for rule in items[section]["additionalProperties"]["allOf"]}
            self.assertIn(setting, rules[kind]["properties"])

    def check_schema(self, node, path="schema"):
        """What draft 2020-12 asks of the keywords that are used."""
        self.assertIsInstance(node, dict, path)
        known = {"$schema", "title", "type", "properties", "additionalProperties", "required",
                 "items", "anyOf", "enum", "minimum", "maximum", "pattern", "description",
                 "default", "examples", "writeOnly", "allOf", "if", "then", "const", "minItems", "minLength"}
        self.assertEqual(set(node) - known, set(), path)
        types = node.get("type", [])
        self.assertLessEqual({types} if isinstance(types, str) else set(types),
                             {"object", "array", "string", "integer", "number", "boolean"})
        for name, child in node.get("properties", {}).items():
            self.check_schema(child, f"{path}.{name}")
        for number, rule in enumerate(node.get("allOf", [])):
            self.check_schema(rule["then"], f"{path}.allOf{number}")
        for name in node.get("required", []):
            self.assertIn(name, node["properties"], path)
        others = node.get("additionalProperties", False)
        if others is not False:
            self.check_schema(others, f"{path}.*")
        if "items" in node:
            self.check_schema(node["items"], f"{path}[]")
        for child in node.get("anyOf", []):
            self.check_schema(child, path)
        if "pattern" in node:
            re.compile(node["pattern"])
        if path == "schema":
            self.assertEqual(node["$schema"], "https://json-schema.org/draft/2020-12/schema")

    # --- replay -------------------------------------------------------------

    EVENTS = "".join(
        f'{{"at": "2024-11-21T09:40:{n}0Z", "stream": "events", '
        f'"event": {{"host": "h1", "severity": "error"}}}}\n' for n in range(3))

    def replay(self, *arguments, rule=RULE, events=EVENTS):
        self.write("replayed/shop.lua", rule)
        self.write("events.ndjson", events)
        return self.tidewatch("replay", "--rules", "replayed", "--input", "events.ndjson",
                              *arguments)

    def test_a_replay_that_tells_something_says_nothing_else(self):
        code, out, err = self.replay()
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([json.loads(line)["status"] for line in out.splitlines()], ["firing"])

    def test_a_replay_for_people_is_a_line_of_text_each(self):
        code, out, err = self.replay("-o", "text", "--until", "2024-11-21T10:00:00Z")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.splitlines(), [
            "2024-11-21T09:40:20.000Z  FIRING   crit shop/errors  3 errors on h1  host=h1",
            "2024-11-21T09:45:00.000Z  RESOLVED crit shop/errors  2 errors on h1  host=h1"])

    def test_a_replay_that_tells_nothing_says_why(self):
        rows = [
            (dict(rule=RULE.replace("severity =", "severty =")),
             ["no event matched shop/errors",
              "no event of 'events' has the field 'severty' (did you mean 'severity'?)"]),
            (dict(events=self.EVENTS.replace('"events"', '"evnts"')),
             ["no rule reads the stream 'evnts', 3 records (did you mean 'events'?)"]),
            (dict(events=self.EVENTS.replace('"host"', '"hst"')),
             ["3 events passed by shop/errors, without its key (host)",
              "no event of 'events' has the field 'host' (did you mean 'hst'?)"]),
            (dict(events=""), ["0 records, 1 rule, 0 lines"]),
        ]
        for changes, expected in rows:
            code, out, err = self.replay(**changes)
            self.assertEqual((code, out), (0, ""), changes)
            for text in expected:
                self.assertIn(f"tidewatch replay: {text}", err)
        os.mkdir(self.path("none"))
        code, out, err = self.tidewatch("replay", "--rules", "none", "--input", "events.ndjson")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("0 records, 0 rules, 0 lines", err)

    def test_a_replay_refuses_a_look_up_without_its_table(self):
        rule = RULE.replace("  alert =",
                            '  enrich = { owner = lookup { "owners", key = "host" } },\n  alert =')
        code, out, err = self.replay(rule=rule)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("shop/errors looks up in the table 'owners', which is not given: "
                      "--table owners=FILE", err)
        self.write("owners.csv", "host,team\nh1,shop\n")
        self.assertEqual(self.replay("--table", "owners=owners.csv", rule=rule)[0], 0)

    # --- docs/CONFIGURATION.md ----------------------------------------------

    def keys_of(self, node, path=""):
        """Dotted names of all values of the schema; NAME stands for what people choose."""
        for choice in node.get("anyOf", []):
            if choice.get("type") == "array":
                node = choice
        others = node.get("additionalProperties")
        if node.get("properties"):
            for name, child in node["properties"].items():
                yield from self.keys_of(child, f"{path}.{name}" if path else name)
        elif isinstance(others, dict) and others.get("properties"):
            yield from self.keys_of(others, f"{path}.NAME")
        else:
            yield path, node

    def test_the_document_names_every_key_with_its_default(self):
        with open(os.path.join(ROOT, "docs/CONFIGURATION.md"), encoding="utf-8") as f:
            rows = dict(re.findall(r"(?m)^\| `([^`]+)` \| (.*)$", f.read()))
        schema = json.loads(self.tidewatch("config", "schema")[1])
        keys = dict(self.keys_of(schema))
        rows["routes"] = rows.pop("routes.PATTERN")
        self.assertEqual(set(keys) - set(rows), set(), "not in the document")
        others = {row for row in rows if row.startswith(("GET ", "POST ", 'routes."'))}
        self.assertEqual(set(rows) - set(keys) - others, set(), "not in the schema")
        for key, node in keys.items():
            default = node.get("default")
            if default is None or key == "routes":
                continue
            text = default if isinstance(default, str) else json.dumps(default)
            self.assertIn(f"`{text}`", rows[key].split("|")[1], key)
            for choice in node.get("enum", []):
                self.assertIn(f"`{choice}`", rows[key].split("|")[0], key)

    def examples_of(self, document):
        with open(os.path.join(ROOT, document), encoding="utf-8") as f:
            return re.findall(r"(?ms)^```yaml\n(.*?)^```", f.read())

    def test_the_configuration_of_the_readme_passes_the_check_with_its_rules(self):
        examples = self.examples_of("README.md")
        self.assertEqual(len(examples), 1)
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
            rules = re.findall(r"(?ms)^```lua\n(rule.*?)^```", f.read())
        self.write("rules/errors.lua", "\n".join(rules))
        self.write("tw.yaml", examples[0])
        code, out, err = self.tidewatch("check", "tw.yaml", env={"HOOK_TOKEN": "x"})
        self.assertEqual((code, out), (0, ""), err)

    def test_the_rules_of_the_readme_pass_their_tests(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
            blocks = re.findall(r"(?ms)^ *```lua\n(.*?)^ *```", f.read())
        self.assertGreater(len(blocks), 2)
        rules = "\n".join(blocks)
        self.assertIn("at_least = 30", rules)  # of which the text says to make it 3
        self.write("rules/readme.lua", rules.replace("at_least = 30", "at_least = 3"))
        code, out, err = self.tidewatch("test", "rules")
        self.assertEqual((code, out), (0, ""), err)

    def test_every_example_of_the_document_passes_the_check(self):
        examples = self.examples_of("docs/CONFIGURATION.md")
        self.assertGreater(len(examples), 5)
        self.write("owners.csv", "service,team\ncart,payments\n")
        self.write("on_duty.csv", "team,name,from,to\nsre,ada,2024-01-01T00:00:00Z,\n")
        self.write("token", "open-sesame\n")
        self.write("rules/shop.lua", RULE.replace('"events"', '"requests"').replace(
            "key = ", "params = { fire = 3 }, key = "))
        for name in ("in.ndjson", "a.log", "b.log"):
            self.write(name, "")
        for number, example in enumerate(examples):
            self.write(f"{number}.yaml", example)
            code, out, err = self.tidewatch("check", f"{number}.yaml", env={"HOOK_TOKEN": "x"})
            wrong = [line for line in out.splitlines() if not line.endswith("[warning]")]
            self.assertEqual((code, wrong), (0, []), f"{example}\n{err}")

    # --- version ------------------------------------------------------------

    def test_version_names_the_program_its_plugins_and_libraries(self):
        with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as f:
            version = re.search(r"project\(tidewatch VERSION (\S+)", f.read()).group(1)
        code, out, err = self.tidewatch("--version")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith(f"tidewatch {version}\nplugin ABI 1\n"), out)
        told = json.loads(self.tidewatch("version", "-o", "json")[1])
        for library in ("jansson", "libcurl", "libmicrohttpd", "libuv", "libyaml", "lua", "pcre2",
                        "simdjson"):
            self.assertRegex(told["libraries"][library], r"^\d+\.\d+")
        self.assertIn("stdout", told["plugins"])

    # --- a running engine ---------------------------------------------------

    def test_without_an_engine_they_say_so_and_end_with_69(self):
        port = free_port()
        for command in ("status", "reload"):
            code, out, err = self.tidewatch(command, "--server", f"127.0.0.1:{port}")
            self.assertEqual((code, out), (69, ""))
            self.assertIn(f"no engine answers on 127.0.0.1 port {port}", err)
            self.assertIn("--server", err)

    def running(self):
        """An engine whose control address asks for a token."""
        control = {"listen": f"127.0.0.1:{free_port()}", "token": "open-sesame"}
        config = self.config(control=control)
        self.write("engine/rules/shop.lua", RULE)
        self.write("engine/in.ndjson", '{"host":"a","severity":"error"}\n' * 3)
        return self.engine(config)

    def test_status_shows_sources_rules_and_sinks(self):
        engine = self.running()
        wait_for("the alert is out", lambda: os.path.getsize(self.path("engine/out.ndjson")))
        code, out, err = self.tidewatch("status", "-c", engine.file)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^tidewatch \S+, running, up ")
        self.assertRegex(out, r"(?m)^events 3, bad records 0, open incidents 1$")
        self.assertRegex(out, r"(?m)^rules: generation 1 since ")
        self.assertRegex(out, r"(?m)^SOURCE .*CAUGHT UP")
        self.assertRegex(out, r"(?m)^in +file +1 +1 ")
        self.assertRegex(out, r"(?m)^shop/errors +3 +0 +1 ")
        self.assertRegex(out, r"(?m)^out +file +0 +0 ")
        told = json.loads(self.tidewatch("status", "-o", "json", "-c", engine.file)[1])
        self.assertEqual((told["state"], told["pid"]), ("running", engine.process.pid))
        self.assertEqual(told["sinks"][0]["deliveries"]["done"], 1)

    def test_the_token_is_taken_from_the_configuration_or_the_environment(self):
        engine = self.running()
        by_address = ["status", "--server", f"http://{engine.address}/"]
        code, _, err = self.tidewatch(*by_address)
        self.assertEqual(code, 2)
        self.assertIn("asks for a token", err)
        self.assertEqual(self.tidewatch(*by_address, env={"TIDEWATCH_TOKEN": "open-sesame"})[0], 0)
        self.assertEqual(self.tidewatch(*by_address, "-c", engine.file)[0], 0)
        self.assertEqual(self.tidewatch("status", env={"TIDEWATCH_CONFIG": engine.file})[0], 0)

    def test_reload_takes_good_rules_over_and_refuses_bad_ones(self):
        engine = self.running()
        code, out, err = self.tidewatch("reload", "-c", engine.file)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^generation 2: 0 added, 0 changed, 1 unchanged, 0 removed, 0 moved; ")

        self.write("engine/rules/more.lua", RULE.replace("count", "cuont"))
        code, out, err = self.tidewatch("reload", "-c", engine.file)
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^.*rules/more.lua:4:\d+: .*\(did you mean 'count'\?\)\n$")
        self.assertIn("refused", err)
        status = self.tidewatch("status", "-c", engine.file)[1]
        self.assertIn("LAST RELOAD REFUSED", status)
        self.assertRegex(status, r"(?m)^rules: generation 2 since ")


if __name__ == "__main__":
    unittest.main()
