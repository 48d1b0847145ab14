// SPDX-License-Identifier: Apache-2.0
/* Comparing and writing the scalars of events. */
#include "flow/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static tw_value text(const char *s)
{
    return tw_value_string(s, strlen(s));
}

static tw_value typed(const char *s, tw_type type)
{
    tw_value v = text(s);
    v.type = (uint8_t)type;
    return v;
}

static tw_value decimal(const char *s)
{
    return typed(s, TW_DECIMAL);
}

static int order(tw_value a, tw_value b)
{
    int out = 99;
    assert_true(tw_value_compare(a, b, &out));
    return (out > 0) - (out < 0);
}

static void five_equals_five_point_zero(void **state)
{
    (void)state;
    assert_true(tw_value_equal(tw_value_int(5), tw_value_double(5.0)));
    assert_true(tw_value_equal(tw_value_double(5.0), tw_value_int(5)));
    assert_false(tw_value_equal(tw_value_int(5), tw_value_double(5.5)));
    assert_true(tw_value_equal(tw_value_double(0.0), tw_value_double(-0.0)));
}

static void text_is_never_a_number(void **state)
{
    double d;
    int out;
    (void)state;
    assert_false(tw_value_equal(text("5"), tw_value_int(5)));
    assert_false(tw_value_number(text("5"), &d));
    assert_false(tw_value_compare(text("5"), tw_value_int(5), &out));
    assert_false(tw_value_number(tw_value_bool(true), &d));
}

static void integers_beyond_53_bits_compare_exactly_with_doubles(void **state)
{
    (void)state;
    int64_t big = 9007199254740993; /* 2^53 + 1, which no double holds */
    assert_false(tw_value_equal(tw_value_int(big), tw_value_double(9007199254740992.0)));
    assert_int_equal(order(tw_value_int(big), tw_value_double(9007199254740992.0)), 1);
    assert_int_equal(
        order(tw_value_int(INT64_MAX), tw_value_double(9223372036854775808.0)), -1);
    assert_int_equal(
        order(tw_value_int(INT64_MIN), tw_value_double(-9223372036854775808.0)), 0);
    assert_int_equal(order(tw_value_double(1e300), tw_value_int(INT64_MAX)), 1);
    assert_int_equal(order(tw_value_double(-0.5), tw_value_int(0)), -1);
}

static void decimals_are_ordered_among_themselves_and_with_numbers(void **state)
{
    (void)state;
    tw_value big = decimal("18446744073709551615");
    tw_value bigger = decimal("18446744073709551616");
    assert_int_equal(order(big, bigger), -1);
    assert_int_equal(
        order(decimal("-18446744073709551615"), decimal("-18446744073709551616")), 1);
    assert_false(tw_value_equal(big, bigger));
    assert_true(tw_value_equal(big, decimal("18446744073709551615")));
    assert_int_equal(order(big, tw_value_int(INT64_MAX)), 1);
    assert_int_equal(order(decimal("-1e400"), tw_value_int(INT64_MIN)), -1);
    assert_int_equal(order(decimal("1e400"), tw_value_double(1e308)), 1);
    assert_int_equal(order(tw_value_double(1e308), decimal("1e400")), -1);
    assert_int_equal(order(decimal("-1e400"), decimal("1e400")), -1);
    assert_true(tw_value_equal(tw_value_double(18446744073709551616.0), bigger));
}

static void a_decimal_becomes_the_nearest_double(void **state)
{
    double d = 0;
    (void)state;
    assert_true(tw_value_number(decimal("18446744073709551615"), &d));
    assert_true(d == 18446744073709551616.0);
    assert_true(tw_value_number(decimal("-0.0001234e30"), &d));
    assert_true(d == -1.234e26);
    assert_true(tw_value_number(decimal("100200300400500600700.5e-2"), &d));
    assert_true(d == 1002003004005006007.005);
    assert_false(tw_value_number(decimal("1e400"), &d));

    char digits[1100];
    memset(digits, '9', 1000);
    memcpy(digits + 1000, "e-900", 6);
    assert_true(tw_value_number(decimal(digits), &d));
    assert_true(d == 1e100);
    digits[1000] = '\0';
    assert_false(tw_value_number(decimal(digits), &d));
    assert_int_equal(order(decimal(digits), tw_value_double(1e308)), 1);
}

static void text_is_ordered_by_bytes_and_may_hold_nul(void **state)
{
    (void)state;
    assert_int_equal(order(text("a"), text("b")), -1);
    assert_int_equal(order(text("a"), text("aa")), -1);
    assert_int_equal(order(text("\xc3\xa9"), text("z")), 1);
    assert_int_equal(order(tw_value_string("a\0b", 3), tw_value_string("a\0c", 3)), -1);
    assert_int_equal(order(tw_value_string(NULL, 0), text("")), 0);
    assert_true(tw_value_equal(tw_value_string("a\0b", 3), tw_value_string("a\0b", 3)));
    assert_false(tw_value_equal(tw_value_string("a\0b", 3), tw_value_string("a\0c", 3)));
}

static void kinds_that_differ_are_not_equal(void **state)
{
    (void)state;
    tw_value null = {.type = TW_NULL};
    assert_true(tw_value_equal(null, null));
    assert_false(tw_value_equal(null, tw_value_absent()));
    assert_false(tw_value_equal(null, tw_value_int(0)));
    assert_false(tw_value_equal(tw_value_bool(false), tw_value_int(0)));
    assert_true(tw_value_equal(tw_value_bool(true), tw_value_bool(true)));
    assert_false(tw_value_equal(tw_value_bool(true), tw_value_bool(false)));
    assert_false(tw_value_equal(text("[1]"), typed("[1]", TW_JSON)));
    assert_true(tw_value_equal(typed("[1]", TW_JSON), typed("[1]", TW_JSON)));
}

static void assert_writes(tw_value v, const char *json, const char *plain)
{
    tw_buf out;
    tw_buf_init(&out, 1000);
    tw_value_write_json(v, &out);
    assert_string_equal(out.data, json);
    tw_buf_reset(&out);
    tw_value_write_text(v, &out);
    assert_string_equal(out.data, plain);
    tw_buf_done(&out);
}

static void each_kind_is_written_as_json_and_as_text(void **state)
{
    (void)state;
    assert_writes(tw_value_absent(), "null", "");
    assert_writes((tw_value){.type = TW_NULL}, "null", "null");
    assert_writes(tw_value_bool(true), "true", "true");
    assert_writes(tw_value_int(-7), "-7", "-7");
    assert_writes(tw_value_double(0.1), "0.1", "0.1");
    assert_writes(text("a\"b\n"), "\"a\\\"b\\n\"", "a\"b\n");
    assert_writes(decimal("18446744073709551615"), "18446744073709551615",
                  "18446744073709551615");
    assert_writes(typed("{\"a\":\r\n  [1,\n2]}", TW_JSON), "{\"a\":  [1,2]}",
                  "{\"a\":  [1,2]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_equals_five_point_zero),
        cmocka_unit_test(text_is_never_a_number),
        cmocka_unit_test(integers_beyond_53_bits_compare_exactly_with_doubles),
        cmocka_unit_test(decimals_are_ordered_among_themselves_and_with_numbers),
        cmocka_unit_test(a_decimal_becomes_the_nearest_double),
        cmocka_unit_test(text_is_ordered_by_bytes_and_may_hold_nul),
        cmocka_unit_test(kinds_that_differ_are_not_equal),
        cmocka_unit_test(each_kind_is_written_as_json_and_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
