// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/rows and flow/table_read: what a key had when, in both formats, and rows of a test. */
#include "flow/table_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const tw_table_columns dated = {.key = "k", .since = "from", .until = "to"};

static int read_text(const char *text, bool is_json, tw_rows **out, tw_err *err)
{
    tw_buf b;

    tw_buf_init(&b, 4096);
    tw_buf_add_str(&b, text);
    *out = tw_rows_new(true);
    int rc = tw_table_read(&b, is_json, &dated, *out, err);
    tw_buf_done(&b);
    return rc;
}

static const char *at(const tw_rows *rows, const char *key, int64_t at_ms)
{
    const char *v = json_string_value(json_object_get(tw_rows_at(rows, key, at_ms), "v"));
    return v ? v : "-";
}

static void the_row_of_a_time_is_found(void **state)
{
    (void)state;
    tw_rows *rows;
    assert_int_equal(read_text("k,v,from,to\n"
                               "a,two,1970-01-01T00:00:20Z,\n"
                               "b,b,,1970-01-01T00:00:20Z\n"
                               "a,one,10,1970-01-01T00:00:15Z\n"
                               "a,three,1970-01-01T02:00:30+02:00,\n",
                               false, &rows, NULL),
                     TW_OK);
    assert_int_equal(tw_rows_count(rows), 2);
    assert_string_equal(at(rows, "a", 9999), "-");
    assert_string_equal(at(rows, "a", 10000), "one");
    assert_string_equal(at(rows, "a", 14999), "one");
    assert_string_equal(at(rows, "a", 15000), "-");
    assert_string_equal(at(rows, "a", 20000), "two");
    assert_string_equal(at(rows, "a", 29999), "two");
    assert_string_equal(at(rows, "a", 30000), "three");
    assert_string_equal(at(rows, "a", TW_ROW_NEWEST), "three");
    assert_string_equal(at(rows, "b", -1), "b");
    assert_string_equal(at(rows, "b", 20000), "-");
    assert_string_equal(at(rows, "b", TW_ROW_NEWEST), "b");
    assert_string_equal(at(rows, "c", 20000), "-");
    tw_rows_unref(rows);
}

static void json_has_lists_of_rows(void **state)
{
    (void)state;
    tw_rows *rows;
    assert_int_equal(read_text("{\"a\": [{\"v\": \"two\", \"from\": 20.0},"
                               " {\"v\": \"one\", \"from\": 10000000000000}],"
                               " \"b\": {\"v\": \"b\", \"from\": null, \"to\": 5}}",
                               true, &rows, NULL),
                     TW_OK);
    assert_string_equal(at(rows, "a", 20000), "two");
    assert_string_equal(at(rows, "a", TW_ROW_NEWEST), "one");
    assert_string_equal(at(rows, "b", 4999), "b");
    assert_string_equal(at(rows, "b", 5000), "-");
    tw_rows_unref(rows);
    assert_int_equal(read_text("[{\"k\": \"a\", \"v\": \"one\", \"from\": 1},"
                               " {\"k\": \"a\", \"v\": \"two\", \"from\": \"2\"}]",
                               true, &rows, NULL),
                     TW_OK);
    assert_string_equal(at(rows, "a", 1500), "one");
    assert_string_equal(at(rows, "a", 2000), "two");
    tw_rows_unref(rows);
}

static void is_refused(const char *text, bool is_json, int line, const char *why)
{
    tw_rows *rows;
    tw_err err = {0};
    assert_true(read_text(text, is_json, &rows, &err) < 0);
    if (!strstr(err.text, why) || err.line != line)
        fail_msg("line %d: %s", err.line, err.text);
    tw_rows_unref(rows);
}

static void what_is_no_history_is_refused(void **state)
{
    (void)state;
    is_refused("k,v,to\na,1,\n", false, 1, "no column \"from\"");
    is_refused("k,v,from\na,1,\n", false, 1, "no column \"to\"");
    is_refused("k,from,to\na,1,\nb,soon,\n", false, 3, "\"soon\" in the column \"from\"");
    is_refused("k,from,to\na,5,4\n", false, 2, "the row of \"a\" ends before it begins");
    is_refused("k,from,to\na,5,\nb,5,\na,5,\n", false, 0,
               "two rows of the key \"a\" begin at one time");
    is_refused("{\"a\": [1]}", true, 0, "not an object or a list of them");
    is_refused("{\"a\": {\"from\": true}}", true, 0, "\"what stands\" in the column");
}

static void rows_of_a_test_are_plain_or_versions(void **state)
{
    (void)state;
    json_t *object =
        json_loads("{\"a\": {\"v\": \"a\"}, \"b\": [[null, {\"v\": \"one\"}],"
                   " [600000, {\"v\": \"two\"}], [900000]]}",
                   0, NULL);
    tw_rows *rows = tw_rows_of_json(object, 1000);
    assert_true(tw_rows_have_history(rows));
    assert_string_equal(at(rows, "a", 0), "a");
    assert_string_equal(at(rows, "b", 600999), "one");
    assert_string_equal(at(rows, "b", 601000), "two");
    assert_string_equal(at(rows, "b", 901000), "-");
    assert_string_equal(at(rows, "b", TW_ROW_NEWEST), "-");
    tw_rows_unref(rows);
    json_decref(object);
    object = json_loads("{\"a\": {\"v\": \"a\"}}", 0, NULL);
    rows = tw_rows_of_json(object, 1000);
    assert_false(tw_rows_have_history(rows));
    assert_string_equal(at(rows, "a", 0), "a");
    tw_rows_unref(rows);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_row_of_a_time_is_found),
        cmocka_unit_test(json_has_lists_of_rows),
        cmocka_unit_test(what_is_no_history_is_refused),
        cmocka_unit_test(rows_of_a_test_are_plain_or_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
