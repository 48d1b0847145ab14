// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/table_topic: the newest value of a key counts, tombstones, history by record times, bounds,
 * and records that are no rows. */
#include "flow/table_topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const tw_topic_table_options plain = {
    .versions = 1, .max_rows = 100, .max_bytes = 10000, .max_record_bytes = 1000};

static const char *why;

static tw_topic_fate take(tw_topic_table *t, const char *key, const char *data,
                          int64_t time_ms)
{
    tw_topic_record r = {.key = key,
                         .key_size = key ? strlen(key) : 0,
                         .data = data,
                         .size = data ? strlen(data) : 0,
                         .time_ms = time_ms};
    why = NULL;
    return tw_topic_table_take(t, &r, &why);
}

static void is_at(const tw_topic_table *t, const char *key, int64_t at_ms,
                  const char *value)
{
    tw_rows *rows = tw_topic_table_rows(t);
    const char *v = json_string_value(json_object_get(tw_rows_at(rows, key, at_ms), "v"));

    assert_string_equal(v ? v : "-", value);
    tw_rows_unref(rows);
}

static void is(const tw_topic_table *t, const char *key, const char *value)
{
    is_at(t, key, TW_ROW_NEWEST, value);
}

static void the_newest_value_counts_and_a_tombstone_deletes(void **state)
{
    (void)state;
    tw_topic_table *t = tw_topic_table_new(&plain);

    assert_int_equal(take(t, "a", "{\"v\":\"1\"}", 10), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, "b", "{\"v\":\"x\"}", 10), TW_TOPIC_TAKEN);
    tw_rows *then = tw_topic_table_rows(t);
    assert_int_equal(take(t, "a", "{\"v\":\"2\"}", 5), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, "b", NULL, 20), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, "none", NULL, 20), TW_TOPIC_TAKEN);
    is(t, "a", "2");
    is(t, "b", "-");
    assert_string_equal(json_string_value(json_object_get(tw_rows_get(then, "b"), "v")),
                        "x");
    tw_rows_unref(then);
    tw_topic_counts c = tw_topic_table_counts(t);
    assert_int_equal(c.rows, 1);
    assert_int_equal(c.bytes, 1 + 9);
    assert_int_equal(c.records, 5);
    assert_int_equal(c.deleted, 1);
    assert_int_equal(c.forgotten, 0);
    tw_topic_table_free(t);
    tw_topic_table_free(NULL);
}

static void with_versions_it_knows_what_was(void **state)
{
    (void)state;
    tw_topic_table_options o = plain;
    o.versions = 3;
    tw_topic_table *t = tw_topic_table_new(&o);

    take(t, "a", "{\"v\":\"1\"}", 10);
    take(t, "a", "{\"v\":\"2\"}", 20);
    take(t, "a", NULL, 30);
    is_at(t, "a", 9, "-");
    is_at(t, "a", 10, "1");
    is_at(t, "a", 19, "1");
    is_at(t, "a", 20, "2");
    is_at(t, "a", 30, "-");
    is(t, "a", "-");
    assert_int_equal(tw_topic_table_counts(t).rows, 0);
    take(t, "a", NULL, 35); /* nothing to end */
    take(t, "a", "{\"v\":\"3\"}", 40);
    is_at(t, "a", 10, "-"); /* a fourth version is one too many */
    is_at(t, "a", 20, "2");
    is_at(t, "a", 39, "-");
    is(t, "a", "3");
    assert_int_equal(tw_topic_table_counts(t).forgotten, 1);
    take(t, "a", "{\"v\":\"4\"}", 1); /* times of a key do not go back */
    is_at(t, "a", 40, "4");
    is_at(t, "a", 39, "-");
    assert_int_equal(tw_topic_table_counts(t).rows, 1);
    tw_topic_table_free(t);
}

static void what_is_no_row_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    tw_topic_table *t = tw_topic_table_new(&plain);
    char long_value[1100];

    take(t, "a", "{\"v\":\"1\"}", 10);
    assert_int_equal(take(t, "a", "[1]", 11), TW_TOPIC_ODD);
    assert_string_equal(why, "a value that is no JSON object");
    assert_int_equal(take(t, "a", "{", 11), TW_TOPIC_ODD);
    assert_int_equal(take(t, "a", "", 11), TW_TOPIC_ODD);
    assert_int_equal(take(t, NULL, "{\"v\":\"1\"}", 11), TW_TOPIC_ODD);
    assert_string_equal(why, "a record without a key");
    assert_int_equal(take(t, NULL, NULL, 11), TW_TOPIC_ODD);
    memset(long_value, ' ', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = 0;
    memcpy(long_value, "{}", 2);
    assert_int_equal(take(t, "a", long_value, 11), TW_TOPIC_ODD);
    assert_string_equal(why, "a value that is larger than limits.record");
    tw_topic_record zero = {.key = "a\0b", .key_size = 3, .data = "{}", .size = 2};
    assert_int_equal(tw_topic_table_take(t, &zero, &why), TW_TOPIC_ODD);
    is(t, "a", "1");
    assert_int_equal(tw_topic_table_counts(t).odd, 7);
    tw_topic_table_free(t);
}

static void the_key_may_be_a_member_of_the_value(void **state)
{
    (void)state;
    tw_topic_table_options o = plain;
    o.key = "k";
    tw_topic_table *t = tw_topic_table_new(&o);

    assert_int_equal(take(t, "r1", "{\"k\":\"a\",\"v\":\"1\"}", 1), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, "r2", "{\"k\":7,\"v\":\"2\"}", 1), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, NULL, "{\"k\":\"c\",\"v\":\"3\"}", 1), TW_TOPIC_TAKEN);
    assert_int_equal(take(t, "r3", "{\"v\":\"3\"}", 1), TW_TOPIC_ODD);
    is(t, "a", "1");
    is(t, "7", "2");
    is(t, "c", "3");
    take(t, "r1", "{\"k\":\"b\",\"v\":\"4\"}", 2); /* the record is another row now */
    is(t, "a", "-");
    is(t, "b", "4");
    take(t, "r1", NULL, 3);
    is(t, "b", "-");
    assert_int_equal(tw_topic_table_counts(t).rows, 2);
    tw_topic_table_free(t);
}

static void beyond_its_bounds_it_refuses_and_says_so(void **state)
{
    (void)state;
    tw_topic_table_options o = plain;
    o.max_rows = 2;
    tw_topic_table *t = tw_topic_table_new(&o);
    take(t, "a", "{\"v\":\"1\"}", 1);
    take(t, "b", "{\"v\":\"2\"}", 1);
    assert_int_equal(take(t, "c", "{\"v\":\"3\"}", 1), TW_TOPIC_REFUSED);
    assert_int_equal(take(t, "a", "{\"v\":\"4\"}", 1), TW_TOPIC_TAKEN);
    is(t, "c", "-");
    is(t, "a", "4");
    take(t, "b", NULL, 2);
    assert_int_equal(take(t, "c", "{\"v\":\"3\"}", 3), TW_TOPIC_TAKEN);
    tw_topic_table_free(t);

    o.versions = 3; /* an ended key stays until its place is wanted */
    t = tw_topic_table_new(&o);
    take(t, "a", "{\"v\":\"1\"}", 1);
    take(t, "b", "{\"v\":\"2\"}", 1);
    take(t, "b", NULL, 2);
    is_at(t, "b", 1, "2");
    assert_int_equal(take(t, "c", "{\"v\":\"3\"}", 3), TW_TOPIC_TAKEN);
    is_at(t, "b", 1, "-");
    is(t, "c", "3");
    assert_int_equal(tw_topic_table_counts(t).rows, 2);
    tw_topic_table_free(t);

    o = plain;
    o.max_bytes = 25;
    t = tw_topic_table_new(&o);
    take(t, "a", "{\"v\":\"1\"}", 1);
    take(t, "b", "{\"v\":\"2\"}", 1);
    assert_int_equal(take(t, "a", "{\"v\":\"0123456789\"}", 1), TW_TOPIC_REFUSED);
    is(t, "a", "-"); /* no row rather than one that is not so any more */
    is(t, "b", "2");
    assert_int_equal(tw_topic_table_counts(t).bytes, 10);
    assert_int_equal(tw_topic_table_counts(t).refused, 1);
    tw_topic_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_value_counts_and_a_tombstone_deletes),
        cmocka_unit_test(with_versions_it_knows_what_was),
        cmocka_unit_test(what_is_no_row_is_counted_and_changes_nothing),
        cmocka_unit_test(the_key_may_be_a_member_of_the_value),
        cmocka_unit_test(beyond_its_bounds_it_refuses_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
