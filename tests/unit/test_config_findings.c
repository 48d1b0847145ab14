// SPDX-License-Identifier: Apache-2.0
/* Tests of core/config: the exact finding of each wrong configuration. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_fine(const char *text)
{
    tw_err err = {0};
    tw_config *c = tw_config_parse(text, strlen(text), "t.yaml", &err);

    if (!c)
        fail_msg("%s: %s", text, err.text);
    tw_config_free(c);
}

static void assert_finding(const char *text, const char *wanted)
{
    tw_err err = {0};
    char message[1400];
    tw_config *c = tw_config_parse(text, strlen(text), "t.yaml", &err);

    if (c)
        fail_msg("was accepted: %s", text);
    assert_string_equal(tw_err_format(&err, message, sizeof message), wanted);
}

static void unknown_keys_are_named_with_the_nearest(void **state)
{
    (void)state;
    assert_finding("lane: 2\n", "t.yaml:1:1: unknown key 'lane' (did you mean 'lanes'?)");
    assert_finding(
        "streams:\n  r: { source: k, fromat: json }\n",
        "t.yaml:2:19: unknown key 'fromat' in stream 'r' (did you mean 'format'?)");
    assert_finding(
        "rules: { limits: { memry: 1MiB } }",
        "t.yaml:1:20: unknown key 'memry' in 'limits' in 'rules' (did you mean "
        "'memory'?)");
    assert_finding(
        "012345678901234567890123456789012345678\xc3\xa4x: 1",
        "t.yaml:1:1: unknown key '012345678901234567890123456789012345678...'");
    assert_finding("sinks: { \"0123456789012345678901234567890123456789\": { kind: x, "
                   "b\xc3\xa4: 1 } }",
                   "t.yaml:1:65: unknown key 'b\xc3\xa4' in sink "
                   "'0123456789012345678901234567890123456789'");
    assert_finding("control: { watch: true }",
                   "t.yaml:1:12: unknown key 'watch' in 'control'");
    assert_finding("positions: { comit: 1s }", "t.yaml:1:14: unknown key 'comit' in "
                                               "'positions' (did you mean 'commit'?)");
}

static void wrong_types_and_missing_values_are_named(void **state)
{
    (void)state;
    assert_finding("- a\n",
                   "t.yaml:1:1: the configuration must be a map of keys and values, "
                   "not a list");
    assert_finding("lanes: many",
                   "t.yaml:1:8: 'lanes' must be a whole number, not 'many'");
    assert_finding("lanes: 0", "t.yaml:1:8: 'lanes' must be between 1 and 64, not 0");
    assert_finding("lanes: 65", "t.yaml:1:8: 'lanes' must be between 1 and 64, not 65");
    assert_finding(
        "log: { level: wran }",
        "t.yaml:1:15: 'level' in 'log' must be one of debug, info, warn, error, "
        "not 'wran' (did you mean 'warn'?)");
    assert_finding("sources: { k: { settings: {} } }",
                   "t.yaml:1:12: 'kind' is missing in source 'k'");
    assert_finding("sources: [k]", "t.yaml:1:10: 'sources' must be a map of names and "
                                   "values, not a list");
    assert_finding("sources: { k: { kind: kafka, settings: [1] } }",
                   "t.yaml:1:30: 'settings' must be a map of keys and values");
    assert_finding("streams: { r: { topics: [a] } }",
                   "t.yaml:1:12: 'source' is missing in stream 'r'");
    assert_finding(
        "tables: { o: { key: a } }",
        "t.yaml:1:11: 'path' is missing in table 'o', or 'source' for one of a topic");
    assert_finding("dead_letters: {}", "t.yaml:1:1: 'sink' is missing in 'dead_letters'");
    assert_finding("rules: { watch: maybe }",
                   "t.yaml:1:17: 'watch' in 'rules' must be true or false, not 'maybe'");
    assert_finding(
        "rules: { params: { a/b: 3 } }",
        "t.yaml:1:25: param 'a/b' in 'rules' must be a map of names and values, "
        "not 3");
    assert_finding("shutdown: { drain: soon }",
                   "t.yaml:1:20: 'drain' in 'shutdown' must be a duration such as 30s or "
                   "2h30m, not 'soon'");
}

static void names_that_do_not_exist_are_named_with_the_nearest(void **state)
{
    (void)state;
    assert_finding("sources: { kafka: { kind: kafka } }\n"
                   "streams: { r: { source: kafak } }",
                   "t.yaml:2:25: stream 'r' reads from source 'kafak', which does not "
                   "exist (did you mean 'kafka'?)");
    assert_finding("streams: { r: { source: k } }", "t.yaml:1:25: stream 'r' reads from "
                                                    "source 'k', which does not exist");
    assert_finding(
        "sinks: { screen: { kind: stdout } }\nroutes:\n  page: [screen, scren]",
        "t.yaml:3:18: route 'page' names sink 'scren', which does not exist "
        "(did you mean 'screen'?)");
    assert_finding("sinks: { dlq: { kind: file } }\ndead_letters: { sink: dql }",
                   "t.yaml:2:23: 'dead_letters' names sink 'dql', which does not exist "
                   "(did you mean 'dlq'?)");
}

static void a_topic_feeds_one_stream(void **state)
{
    (void)state;
    static const char kafka[] = "sources: { k: { kind: kafka }, l: { kind: kafka } }\n";
    char text[400];

    snprintf(text, sizeof text, "%s%s", kafka,
             "streams:\n  a: { source: k, topics: [x, y] }\n  b: { source: k, topics: y "
             "}\n");
    assert_finding(text, "t.yaml:4:27: topic 'y' of source 'k' already belongs to stream "
                         "'a'; one stream takes it, rules share the stream");
    snprintf(text, sizeof text, "%s%s", kafka,
             "streams:\n  a: { source: k, topics: b }\n  b: { source: k }\n");
    assert_finding(text, "t.yaml:4:3: topic 'b' (a stream without 'topics' reads the one "
                         "of its own name) already belongs to stream 'a'");
    snprintf(text, sizeof text, "%s%s", kafka,
             "streams: { a: { source: k, topics: [x, x] } }");
    assert_finding(text, "t.yaml:2:40: topic 'x' is listed twice");
    snprintf(text, sizeof text, "%s%s", kafka,
             "streams: { a: { source: k, topics: [] } }");
    assert_finding(text, "t.yaml:2:28: stream 'a' has no topics");
    snprintf(text, sizeof text, "%s%s", kafka,
             "streams: { a: { source: k, topics: \"\" } }");
    assert_finding(text, "t.yaml:2:36: a topic without a name");
    snprintf(text, sizeof text, "%s%s", kafka,
             "streams: { a: { source: k, topics: x }, b: { source: l, topics: x } }");
    assert_fine(text);
}

static void addresses_beyond_this_machine_need_a_token(void **state)
{
    (void)state;
    assert_finding("control: { listen: \"0.0.0.0:9464\" }",
                   "t.yaml:1:20: 'listen' on 0.0.0.0 can be reached from other machines "
                   "and needs a 'token' (and TLS in front)");
    assert_finding("control:\n  listen: \"[::]:9464\"",
                   "t.yaml:2:11: 'listen' on :: can be reached from other machines and "
                   "needs a 'token' (and TLS in front)");
    assert_finding("control: { listen: \"0.0.0.0:9464\", token: \"\" }",
                   "t.yaml:1:36: 'token' is empty");
    static const char *const wrong[] = {"9464",     ":9464",         "127.0.0.1",
                                        "host:80",  "127.0.0.1:x",   "127.0.0.1:65536",
                                        "::1:9464", "127.0.0.1:80x", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[100], wanted[200];
        snprintf(text, sizeof text, "control: { listen: \"%s\" }", wrong[i]);
        snprintf(wanted, sizeof wanted,
                 "t.yaml:1:20: 'listen' must be an address with a port such as "
                 "127.0.0.1:9464 or [::1]:9464, not '%s'",
                 wrong[i]);
        assert_finding(text, wanted);
    }
}

static void names_are_plain(void **state)
{
    (void)state;
    assert_finding("sources: { \"a b\": { kind: kafka } }",
                   "t.yaml:1:12: the name of source 'a b' may have letters, digits, '_', "
                   "'-' and '.' only");
    assert_finding(
        "sinks: { \"a/b\": { kind: file } }",
        "t.yaml:1:10: the name of sink 'a/b' may have letters, digits, '_', '-' "
        "and '.' only");
    assert_finding("tables: { \"\": { path: x } }",
                   "t.yaml:1:11: the name of a table must have 1 to 200 letters");
    assert_finding("tables: { t: { path: \"\" } }",
                   "t.yaml:1:22: 'path' is an empty path");
}

static void a_table_is_a_file_or_a_topic(void **state)
{
    (void)state;
#define TABLE(text) "sources: { k: { kind: kafka } }\ntables: { t: { " text " } }"
    assert_finding(TABLE("path: a.csv, source: k"),
                   "t.yaml:2:29: table 't' is a file ('path') or a topic ('source'), not "
                   "both");
    assert_finding(TABLE("path: a.csv, versions: 2"),
                   "t.yaml:2:29: 'versions' of table 't': that is for a table of a topic "
                   "('source'), and this one is a file");
    assert_finding(
        TABLE("path: a.csv, until: to"),
        "t.yaml:2:29: 'until' of table 't' needs 'since', the column of when a "
        "row begins to be valid");
    assert_finding(TABLE("source: k, since: from"),
                   "t.yaml:2:27: 'since' of table 't': that is a column of a file; the "
                   "rows of a topic begin at the times of its records, and 'versions' "
                   "above 1 keeps them");
    assert_finding(TABLE("source: kk"),
                   "t.yaml:2:24: table 't' reads from source 'kk', which does not exist "
                   "(did you mean 'k'?)");
    assert_finding(TABLE("source: k, topic: \"\""),
                   "t.yaml:2:27: a topic without a name");
    assert_finding(TABLE("source: k, bytes: 1"),
                   "t.yaml:2:34: 'bytes' must be between 1KiB and 1048576MiB");
    assert_finding(
        TABLE("source: k, versions: 0"),
        "t.yaml:2:37: 'versions' in table 't' must be between 1 and 1000, not 0");
#undef TABLE
}

static void paths_of_fields_are_checked(void **state)
{
    (void)state;
    assert_finding(
        "sources: { k: { kind: kafka } }\n"
        "streams: { r: { source: k, time: \"a..b\" } }",
        "t.yaml:2:34: 'time': field path \"a..b\": a name is missing at column "
        "3");
    assert_finding("sources: { k: { kind: kafka } }\n"
                   "streams: { r: { source: k, key: \"@offset\" } }",
                   "t.yaml:2:33: 'key' must name a field of the event; '@offset' is not "
                   "one");
}

static void routes_are_checked(void **state)
{
    (void)state;
    static const char sink[] = "sinks: { s: { kind: stdout } }\n";
    static const struct {
        const char *routes, *wanted;
    } cases[] = {
        {"routes: { \"a*b\": s }",
         "t.yaml:2:11: route 'a*b': a * stands at the end only"},
        {"routes: { \"a**\": s }",
         "t.yaml:2:11: route 'a**': a * stands at the end only"},
        {"routes: { \"a b\": s }",
         "t.yaml:2:11: the name of route 'a b' has a blank in it"},
        {"routes: { \"\": s }", "t.yaml:2:11: a route without a name"},
        {"routes: { a: [] }",
         "t.yaml:2:11: route 'a' has no sinks: its alerts would be lost"},
        {"routes: { a: [s, s] }", "t.yaml:2:18: route 'a' names sink 's' twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s%s", sink, cases[i].routes);
        assert_finding(text, cases[i].wanted);
    }
}

static void ranges_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"positions: { commit: 0 }", "t.yaml:1:22: 'commit' must be at least 100ms"},
        {"shutdown: { drain: 60w }", "t.yaml:1:20: 'drain' must be at most 366d"},
        {"rules: { limits: { memory: 1KiB } }",
         "t.yaml:1:28: 'memory' must be between 1024KiB and 1024MiB"},
        {"rules: { limits: { cpu: 0 } }", "t.yaml:1:25: 'cpu' must be at least 1ms"},
        {"rules: { limits: { cpu: 11s } }", "t.yaml:1:25: 'cpu' must be at most 10s"},
        {"rules: { limits: { load_cpu: 2m } }",
         "t.yaml:1:30: 'load_cpu' must be at most 1m"},
        {"limits: { record: 10 }",
         "t.yaml:1:19: 'record' must be between 1KiB and 256MiB"},
        {"limits: { depth: 1000 }",
         "t.yaml:1:18: 'depth' in 'limits' must be between 1 and 256, not 1000"},
        {"sinks: { s: { kind: file, queue: 0 } }",
         "t.yaml:1:34: 'queue' in sink 's' must be between 1 and 10000000, not 0"},
        {"sinks: { s: { kind: file, timeout: 0 } }",
         "t.yaml:1:36: 'timeout' must be at least 1ms"},
        {"sinks: { s: { kind: file, backoff: 2m } }",
         "t.yaml:1:27: 'backoff' (2m) of sink 's' is above its 'backoff_max' (1m)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_finding(cases[i].text, cases[i].wanted);
}

static void what_is_remembered_is_checked(void **state)
{
    static const char source[] = "sources: { k: { kind: kafka } }\n";
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"streams: { a: { source: k, changes: maybe } }",
         "t.yaml:2:28: 'changes' of stream 'a' is true, false or { of: [FIELD, ...] } "
         "with "
         "the fields that name what has changed"},
        {"streams: { a: { source: k, changes: { off: x } } }",
         "t.yaml:2:28: 'changes' of stream 'a' is true, false or { of: [FIELD, ...] } "
         "with "
         "the fields that name what has changed"},
        {"streams: { a: { source: k, changes: { of: [] } } }",
         "t.yaml:2:39: 'of' lists 1 to 32 fields"},
        {"streams: { a: { source: k, changes: { of: [service, \"@time\"] } } }",
         "t.yaml:2:39: 'of' lists fields of the event; '@time' is not one"},
        {"streams: { a: { source: k, changes: { of: [1] } } }",
         "t.yaml:2:39: 'of' lists fields of the event; '?' is not one"},
        {"streams: { a: { source: k, format: text, changes: true } }",
         "t.yaml:2:42: stream 'a' is text, which has no fields that could name what has "
         "changed"},
        {"context: { memory: 1KiB }", "t.yaml:2:20: 'memory' must be at least 64KiB"},
        {"context: { age: 1ms }", "t.yaml:2:17: 'age' must be between 1s and 366d"},
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "%s%s", source, cases[i].text);
        assert_finding(text, cases[i].wanted);
    }
}

static void what_a_strict_stream_declares_is_checked(void **state)
{
    static const char source[] =
        "sources: { k: { kind: kafka } }\nstreams: { a: { source: "
        "k, ";
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"strict: true } }",
         "t.yaml:2:28: stream 'a' is strict and has no 'fields': { service: text, code: "
         "number, ... }"},
        {"fields: { x: text } } }",
         "t.yaml:2:28: 'fields' of stream 'a' need 'strict: true', which makes any other "
         "field that a rule names an error"},
        {"strict: true, fields: { x: txt } } }",
         "t.yaml:2:55: field 'x' in stream 'a' must be one of any, text, number, bool, "
         "list, map, not 'txt' (did you mean 'text'?)"},
        {"strict: true, fields: { \"a..b\": text } } }",
         "t.yaml:2:52: 'a..b' in 'fields' of stream 'a' is no field of an event: field "
         "path \"a..b\": a name is missing at column 3"},
        {"strict: true, fields: { \"@time\": text } } }",
         "t.yaml:2:52: '@time' in 'fields' of stream 'a' is no field of an event"},
        {"time: tss, strict: true, fields: { ts: any } } }",
         "t.yaml:2:28: 'time' of stream 'a': its 'fields' have no 'tss' (did you mean "
         "'ts'?)"},
        {"key: host, strict: true, fields: { ts: any } } }",
         "t.yaml:2:28: 'key' of stream 'a': its 'fields' have no 'host'"},
        {"changes: { of: [a.b, c] }, strict: true, fields: { a: map } } }",
         "t.yaml:2:28: 'changes' of stream 'a': its 'fields' have no 'c'"},
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "%s%s", source, cases[i].text);
        assert_finding(text, cases[i].wanted);
    }
    snprintf(text, sizeof text, "%stime: at.ms, strict: true, fields: { at: map } } }",
             source);
    assert_fine(text);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    tw_err err = {0};
    char message[400];
    assert_null(tw_config_load("/nowhere/t.yaml", &err));
    assert_string_equal(tw_err_format(&err, message, sizeof message),
                        "/nowhere/t.yaml: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_are_named_with_the_nearest),
        cmocka_unit_test(wrong_types_and_missing_values_are_named),
        cmocka_unit_test(names_that_do_not_exist_are_named_with_the_nearest),
        cmocka_unit_test(what_a_strict_stream_declares_is_checked),
        cmocka_unit_test(a_topic_feeds_one_stream),
        cmocka_unit_test(addresses_beyond_this_machine_need_a_token),
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(a_table_is_a_file_or_a_topic),
        cmocka_unit_test(paths_of_fields_are_checked),
        cmocka_unit_test(routes_are_checked),
        cmocka_unit_test(ranges_are_checked),
        cmocka_unit_test(what_is_remembered_is_checked),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
