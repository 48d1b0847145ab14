// SPDX-License-Identifier: Apache-2.0
/* Tests of base/conf_write: trees as YAML. */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static char *yaml_of(const char *json)
{
    json_t *tree = json_loads(json, 0, NULL);
    assert_non_null(tree);
    char *text = tw_conf_yaml(tree);
    json_decref(tree);
    return text;
}

static void assert_yaml(const char *json, const char *wanted)
{
    char *text = yaml_of(json);
    assert_string_equal(text, wanted);
    tw_free(text);
}

static void assert_reads_back(const char *json)
{
    json_t *tree = json_loads(json, 0, NULL);
    tw_err err = {0};
    char *text = tw_conf_yaml(tree);
    tw_conf *c = tw_conf_parse(text, strlen(text), "t.yaml", &err);

    if (!c)
        fail_msg("%s: %s", text, err.text);
    assert_true(json_equal(tw_conf_root(c), tree));
    tw_conf_free(c);
    tw_free(text);
    json_decref(tree);
}

static void maps_stand_in_blocks_and_plain_lists_on_a_line(void **state)
{
    (void)state;
    assert_yaml("{\"a\": {\"b\": 1, \"c\": [\"x\", \"z\"]}, \"d\": {}, \"e\": []}",
                "a:\n  b: 1\n  c: [x, z]\nd: {}\ne: []\n");
}

static void text_that_looks_like_something_else_is_quoted(void **state)
{
    (void)state;
    assert_yaml("{\"a\": \"true\", \"b\": \"1e3\", \"c\": \"no\", \"d\": \"~\"}",
                "a: \"true\"\nb: \"1e3\"\nc: \"no\"\nd: \"~\"\n");
    assert_yaml("{\"a\": true, \"b\": 0.5, \"c\": null}", "a: true\nb: 0.5\nc: null\n");
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    assert_reads_back("{\"a\": [{\"b\": [1, [2.5, {\"c\": -3}]]}, [], {}, null, false]}");
    assert_reads_back(
        "{\"\": \"\", \" a\": \"b \", \"x: y\": \"- z # w\", \"*\": \"&a\"}");
    assert_reads_back(
        "{\"a\": \"two\\nlines\\n\", \"b\": \"tab\\t\", \"c\": \"\\u00e9\\u2028\"}");
    assert_reads_back(
        "{\"a\": \"0x10\", \"b\": \".inf\", \"c\": \"12:30:45\", \"d\": \"NULL\"}");
    assert_reads_back("{\"a\": 1e300, \"b\": 9007199254740993, \"c\": 0.1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_stand_in_blocks_and_plain_lists_on_a_line),
        cmocka_unit_test(text_that_looks_like_something_else_is_quoted),
        cmocka_unit_test(what_is_written_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
