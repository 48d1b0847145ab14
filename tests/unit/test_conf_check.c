// SPDX-License-Identifier: Apache-2.0
/* Tests of base/conf: the check against a table, defaults, JSON Schema, hiding secrets.
 */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const formats[] = {"json", "text", "logfmt", NULL};

static const tw_conf_field item_string[] = {{.name = "", .type = TW_CONF_STRING}};
static const tw_conf_field auth_fields[] = {
    {.name = "user", .type = TW_CONF_STRING},
    {.name = "token", .type = TW_CONF_STRING, .secret = true},
    {.name = NULL},
};
static const tw_conf_field stream_fields[] = {
    {.name = "source",
     .type = TW_CONF_STRING,
     .doc = "Where it comes from.",
     .required = true},
    {.name = "format", .type = TW_CONF_ENUM, .fallback = "\"json\"", .choices = formats},
    {.name = "topics", .type = TW_CONF_LIST, .items = item_string, .string_ok = true},
    {.name = "idle", .type = TW_CONF_DURATION, .fallback = "\"30s\""},
    {.name = "max_bytes", .type = TW_CONF_SIZE, .fallback = "\"1MiB\""},
    {.name = "auth", .type = TW_CONF_OBJECT, .fields = auth_fields},
    {.name = NULL},
};
static const tw_conf_field item_stream[] = {
    {.name = "", .type = TW_CONF_OBJECT, .fields = stream_fields}};
static const tw_conf_field item_any[] = {{.name = "", .type = TW_CONF_ANY}};
static const tw_conf_field limits_fields[] = {
    {.name = "keys", .type = TW_CONF_INT, .fallback = "1000"},
    {.name = NULL},
};
static const tw_conf_field fields[] = {
    {.name = "lanes", .type = TW_CONF_INT, .fallback = "0", .min = 0, .max = 256},
    {.name = "ratio", .type = TW_CONF_NUMBER, .min = 0.5, .max = 1e18},
    {.name = "watch", .type = TW_CONF_BOOL, .fallback = "true"},
    {.name = "streams", .type = TW_CONF_MAP, .items = item_stream},
    {.name = "limits", .type = TW_CONF_OBJECT, .fallback = "{}", .fields = limits_fields},
    {.name = "plugins", .type = TW_CONF_MAP, .items = item_any},
    {.name = NULL},
};

static tw_conf *parse(const char *text, tw_err *err)
{
    tw_conf *c = tw_conf_parse(text, strlen(text), "c.yaml", err);
    if (!c)
        fail_msg("%s: %s", text, err->text);
    return c;
}

static void assert_refused(const char *text, const char *wanted)
{
    tw_err err = {0};
    char message[1200];
    tw_conf *c = parse(text, &err);
    assert_int_equal(tw_conf_check(c, tw_conf_root(c), fields, &err), TW_EINVAL);
    assert_string_equal(tw_err_format(&err, message, sizeof message), wanted);
    assert_int_equal(tw_conf_check(c, tw_conf_root(c), fields, NULL), TW_EINVAL);
    tw_conf_free(c);
}

static void assert_json(json_t *node, const char *wanted)
{
    char *got = json_dumps(node, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    assert_string_equal(got, wanted);
    free(got);
}

static void what_is_missing_is_filled_in(void **state)
{
    (void)state;
    tw_err err = {0};
    tw_conf *c =
        parse("limits:\nstreams:\n  requests:\n    source: k\n    topics: one\n", &err);
    json_t *root = tw_conf_root(c);
    for (int round = 0; round < 2; round++) { /* what passed once passes again */
        assert_int_equal(tw_conf_check(c, root, fields, &err), TW_OK);
        assert_json(root,
                    "{\"lanes\":0,\"limits\":{\"keys\":1000},\"streams\":{\"requests\":{"
                    "\"format\":\"json\",\"idle\":\"30s\",\"max_bytes\":\"1MiB\","
                    "\"source\":\"k\",\"topics\":[\"one\"]}},\"watch\":true}");
    }
    json_t *stream = json_object_get(json_object_get(root, "streams"), "requests");
    assert_int_equal(tw_conf_ms(stream, "idle"), 30000);
    assert_int_equal(tw_conf_bytes(stream, "max_bytes"), 1048576);
    assert_int_equal(tw_conf_int(root, "lanes"), 0);
    assert_true(tw_conf_bool(root, "watch"));
    assert_null(tw_conf_str(root, "nothing"));
    tw_conf_free(c);
}

static void an_unknown_key_names_its_nearest(void **state)
{
    (void)state;
    assert_refused("streams:\n  requests:\n    source: k\n    formt: json\n",
                   "c.yaml:4:5: unknown key 'formt' in stream 'requests' (did you mean "
                   "'format'?)");
    assert_refused("lane: 1\n", "c.yaml:1:1: unknown key 'lane' (did you mean 'lanes'?)");
    assert_refused(
        "streams:\n  r:\n    source: k\n    auth: {usr: 1, nothing_like_it: 2}\n",
        "c.yaml:4:12: unknown key 'usr' in 'auth' in stream 'r' (did you mean "
        "'user'?)");
    assert_refused("completely_else: 1\n", "c.yaml:1:1: unknown key 'completely_else'");
}

static void a_missing_value_is_reported_where_it_belongs(void **state)
{
    (void)state;
    assert_refused("streams:\n  requests:\n    format: text\n",
                   "c.yaml:2:3: 'source' is missing in stream 'requests'");
    assert_refused("streams:\n  requests:\n    source:\n",
                   "c.yaml:3:5: 'source' is missing in stream 'requests'");
}

static void a_wrong_type_says_what_is_wanted_and_what_is_there(void **state)
{
    (void)state;
    assert_refused("- 1\n",
                   "c.yaml:1:1: the configuration must be a map of keys and values, not "
                   "a list");
    assert_refused("lanes: many\n",
                   "c.yaml:1:8: 'lanes' must be a whole number, not 'many'");
    assert_refused("lanes: 1.5\n", "c.yaml:1:8: 'lanes' must be a whole number, not 1.5");
    assert_refused("lanes: 257\n",
                   "c.yaml:1:8: 'lanes' must be between 0 and 256, not 257");
    assert_refused("ratio: 0\n", "c.yaml:1:8: 'ratio' must be at least 0.5, not 0");
    assert_refused("lanes: true\n",
                   "c.yaml:1:1: 'lanes' must be a whole number, not true");
    assert_refused("watch: on\n", "c.yaml:1:8: 'watch' must be true or false, not 'on'");
    assert_refused(
        "streams: [a]\n",
        "c.yaml:1:10: 'streams' must be a map of names and values, not a list");
    assert_refused("streams: {a: 1}\n",
                   "c.yaml:1:14: stream 'a' must be a map of keys and values, not 1");
    assert_refused(
        "streams: {a: {source: 1.10}}\n",
        "c.yaml:1:23: 'source' in stream 'a' must be a string, not 1.1 (put it in "
        "quotes)");
    assert_refused(
        "streams: {a: {source: k, topics: [x, []]}}\n",
        "c.yaml:1:38: item 2 of 'topics' in stream 'a' must be a string, not a list");
    assert_refused(
        "streams: {a: {source: k, topics: [x, true]}}\n",
        "c.yaml:1:34: item 2 of 'topics' in stream 'a' must be a string, not true (put "
        "it in quotes)");
    assert_refused(
        "streams: {a: {source: k, idle: 30}}\n",
        "c.yaml:1:32: 'idle' in stream 'a' must be a duration such as 30s or 2h30m, "
        "not 30");
    assert_refused(
        "streams: {a: {source: k, max_bytes: -1}}\n",
        "c.yaml:1:37: 'max_bytes' in stream 'a' must be a size such as 64KiB or 10MB, "
        "not -1");
    assert_refused(
        "streams: {a: {source: k, format: jsn}}\n",
        "c.yaml:1:34: 'format' in stream 'a' must be one of json, text, logfmt, not "
        "'jsn' (did you mean 'json'?)");
}

static void zero_is_a_duration_without_a_unit(void **state)
{
    (void)state;
    tw_err err = {0};
    tw_conf *c = parse("streams: {a: {source: k, idle: 0}}\n", &err);
    assert_int_equal(tw_conf_check(c, tw_conf_root(c), fields, &err), TW_OK);
    json_t *a = json_object_get(json_object_get(tw_conf_root(c), "streams"), "a");
    assert_string_equal(tw_conf_str(a, "idle"), "0s");
    tw_conf_free(c);
}

static void text_from_the_environment_becomes_the_type_that_is_wanted(void **state)
{
    (void)state;
    tw_err err = {0};
    setenv("TW_TEST_LANES", "4", 1);
    setenv("TW_TEST_WATCH", "false", 1);
    tw_conf *c =
        parse("lanes: ${env:TW_TEST_LANES}\nwatch: ${env:TW_TEST_WATCH}\n", &err);
    json_t *root = tw_conf_root(c);
    assert_int_equal(tw_conf_check(c, root, fields, &err), TW_OK);
    assert_int_equal(tw_conf_int(root, "lanes"), 4);
    assert_false(tw_conf_bool(root, "watch"));
    json_t *shown = tw_conf_redacted(c, root, fields);
    assert_json(shown, "{\"lanes\":\"<secret>\",\"limits\":{\"keys\":1000},"
                       "\"watch\":\"<secret>\"}");
    json_decref(shown);
    tw_conf_free(c);
}

static void a_secret_never_stands_in_a_message(void **state)
{
    (void)state;
    setenv("TW_TEST_SECRET", "hunter2", 1);
    assert_refused("lanes: ${env:TW_TEST_SECRET}\n",
                   "c.yaml:1:8: 'lanes' must be a whole number");
    assert_refused(
        "streams: {a: {source: k, format: '${env:TW_TEST_SECRET}'}}\n",
        "c.yaml:1:34: 'format' in stream 'a' must be one of json, text, logfmt");
    setenv("TW_TEST_SECRET", "999", 1);
    assert_refused("lanes: ${env:TW_TEST_SECRET}\n",
                   "c.yaml:1:8: 'lanes' must be between 0 and 256");
}

static void secrets_are_hidden_by_table_and_by_origin(void **state)
{
    (void)state;
    tw_err err = {0};
    setenv("TW_TEST_SECRET", "hunter2", 1);
    tw_conf *c = parse("streams:\n  a: {source: k, auth: {user: ann, token: plain}}\n"
                       "plugins:\n  p: {deep: [{x: 'a ${env:TW_TEST_SECRET}', y: 1}]}\n",
                       &err);
    json_t *root = tw_conf_root(c);
    assert_int_equal(tw_conf_check(c, root, fields, &err), TW_OK);
    json_t *shown = tw_conf_redacted(c, root, fields);
    assert_json(json_object_get(shown, "plugins"),
                "{\"p\":{\"deep\":[{\"x\":\"<secret>\",\"y\":1}]}}");
    assert_json(
        json_object_get(json_object_get(json_object_get(shown, "streams"), "a"), "auth"),
        "{\"token\":\"<secret>\",\"user\":\"ann\"}");
    char *all = json_dumps(root, 0);
    assert_non_null(strstr(all, "hunter2")); /* the tree itself is untouched */
    free(all);
    json_decref(shown);
    tw_conf_free(c);
}

static void the_table_becomes_a_json_schema(void **state)
{
    (void)state;
    json_t *schema = tw_conf_schema(fields);
    json_t *properties = json_object_get(schema, "properties");
    assert_string_equal(tw_conf_str(schema, "$schema"),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    assert_json(json_object_get(properties, "lanes"),
                "{\"default\":0,\"maximum\":256,\"minimum\":0,\"type\":\"integer\"}");
    json_t *stream =
        json_object_get(json_object_get(properties, "streams"), "additionalProperties");
    assert_json(json_object_get(stream, "required"), "[\"source\"]");
    json_t *in_stream = json_object_get(stream, "properties");
    assert_json(json_object_get(in_stream, "source"),
                "{\"description\":\"Where it comes from.\",\"type\":\"string\"}");
    assert_json(json_object_get(in_stream, "format"),
                "{\"default\":\"json\",\"enum\":[\"json\",\"text\",\"logfmt\"]}");
    assert_json(json_object_get(in_stream, "topics"),
                "{\"anyOf\":[{\"items\":{\"type\":\"string\"},\"type\":\"array\"},"
                "{\"type\":\"string\"}]}");
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_filled_in),
        cmocka_unit_test(an_unknown_key_names_its_nearest),
        cmocka_unit_test(a_missing_value_is_reported_where_it_belongs),
        cmocka_unit_test(a_wrong_type_says_what_is_wanted_and_what_is_there),
        cmocka_unit_test(zero_is_a_duration_without_a_unit),
        cmocka_unit_test(text_from_the_environment_becomes_the_type_that_is_wanted),
        cmocka_unit_test(a_secret_never_stands_in_a_message),
        cmocka_unit_test(secrets_are_hidden_by_table_and_by_origin),
        cmocka_unit_test(the_table_becomes_a_json_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
