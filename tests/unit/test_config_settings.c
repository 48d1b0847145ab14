// SPDX-License-Identifier: Apache-2.0
/* Tests of core/config_settings: settings against the schema of a plugin. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char schema[] =
    "{\"type\": \"object\", \"required\": [\"url\"], \"properties\": {"
    "\"url\": {\"type\": \"string\"},"
    "\"format\": {\"type\": \"string\", \"enum\": [\"json\", \"text\"]},"
    "\"retries\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 9},"
    "\"secret\": {\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}},"
    "\"every\": {\"type\": \"string\", \"format\": \"duration\"},"
    "\"sync\": {\"type\": \"boolean\"},"
    "\"named\": {\"type\": \"object\", \"examples\": [{\"up\": \"sum(up)\"}]},"
    "\"tls\": {\"type\": \"object\", \"properties\": {\"ca\": {\"type\": \"string\"}}},"
    "\"headers\": {\"type\": \"object\", \"additionalProperties\": {\"type\": "
    "\"string\"}}}}";

/* The findings of one sink with these settings, one a line. */
static void findings_of(const char *settings, char *out, size_t size)
{
    char text[1000];
    tw_err err = {0};
    tw_findings found = {0};

    snprintf(text, sizeof text, "sinks:\n  ops:\n    kind: x\n    settings: %s\n",
             settings);
    tw_config *c = tw_config_parse(text, strlen(text), "t.yaml", &err);
    if (!c)
        fail_msg("%s", err.text);
    size_t n =
        tw_config_check_settings(c, "sink 'ops'", c->sinks[0].settings, schema, &found);
    assert_int_equal(n, found.count);
    out[0] = '\0';
    for (size_t i = 0; i < found.count; i++) {
        char line[1400];
        tw_err_format(&found.items[i].err, line, sizeof line);
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? "\n" : "", line);
    }
    tw_findings_done(&found);
    tw_config_free(c);
}

static void assert_findings(const char *settings, const char *wanted)
{
    char got[4000];
    findings_of(settings, got, sizeof got);
    assert_string_equal(got, wanted);
}

static void what_the_schema_allows_has_no_findings(void **state)
{
    (void)state;
    assert_findings("{ url: a, format: text, retries: 9, secret: [a, b], tls: { ca: f }, "
                    "headers: { X-Any: b } }",
                    "");
}

static void an_unknown_setting_is_told_with_the_nearest_and_its_place(void **state)
{
    (void)state;
    assert_findings("{ url: a, fromat: text }",
                    "t.yaml:4:25: sink 'ops': there is no setting 'fromat' (did you mean "
                    "'format'?)");
    assert_findings(
        "{ url: a, tls: { cx: f, zebra: 1 } }",
        "t.yaml:4:32: sink 'ops': there is no setting 'cx' (did you mean "
        "'ca'?)\n"
        "t.yaml:4:39: sink 'ops': there is no setting 'zebra'; there are: ca");
}

static void a_missing_setting_is_told_where_the_settings_begin(void **state)
{
    (void)state;
    assert_findings("{ format: json }",
                    "t.yaml:4:15: sink 'ops': the setting 'url' is missing");
}

static void types_choices_and_ranges_are_told(void **state)
{
    (void)state;
    assert_findings("{ url: 5, retries: 10 }",
                    "t.yaml:4:17: sink 'ops': 'url' must be of type string, not integer\n"
                    "t.yaml:4:25: sink 'ops': 'retries' must be at most 9");
    assert_findings(
        "{ url: a, format: jsno, secret: 1 }",
        "t.yaml:4:25: sink 'ops': 'format' must be one of json, text (did you "
        "mean 'json'?)\n"
        "t.yaml:4:39: sink 'ops': 'secret' must be of type string, array, not "
        "integer");
    assert_findings("{ url: a, secret: [b, 2] }",
                    "t.yaml:4:25: sink 'ops': 'secret' must be of type string, not "
                    "integer");
    assert_findings("{ url: a, headers: { n: 1 } }",
                    "t.yaml:4:36: sink 'ops': 'n' must be of type string, not integer");
}

static void how_to_write_it_is_told_beside_the_type(void **state)
{
    (void)state;
    assert_findings(
        "{ url: a, every: 5 }",
        "t.yaml:4:25: sink 'ops': 'every' must be of type string, not integer; "
        "with its unit, such as 5s");
    assert_findings(
        "{ url: a, sync: yes }",
        "t.yaml:4:25: sink 'ops': 'sync' must be of type boolean, not string; "
        "write true or false");
    assert_findings("{ url: a, named: [up] }",
                    "t.yaml:4:25: sink 'ops': 'named' must be of type object, not array; "
                    "such as {\"up\": \"sum(up)\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_schema_allows_has_no_findings),
        cmocka_unit_test(an_unknown_setting_is_told_with_the_nearest_and_its_place),
        cmocka_unit_test(a_missing_setting_is_told_where_the_settings_begin),
        cmocka_unit_test(types_choices_and_ranges_are_told),
        cmocka_unit_test(how_to_write_it_is_told_beside_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
