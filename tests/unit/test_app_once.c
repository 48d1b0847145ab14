// SPDX-License-Identifier: Apache-2.0
/* Tests of what is said of bad records: each kind at once, none too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "app_impl.h"

static tw_app_once once;
static uint64_t left_out;

static bool says(const char *stream, const char *reason, int64_t now_ms)
{
    left_out = 0;
    return tw_app_say_once(&once, stream, reason, now_ms, &left_out);
}

static void
each_kind_is_said_at_once_and_then_each_second_with_what_was_left_out(void **state)
{
    (void)state;
    once = (tw_app_once){0};
    assert_true(says("a", "no JSON", 5000));
    assert_true(says("a", "no time", 5000));
    assert_true(says("b", "no JSON", 5000));
    assert_false(says("a", "no JSON", 5001));
    assert_false(says("a", "no JSON", 5999));
    assert_true(says("a", "no JSON", 6000));
    assert_int_equal(left_out, 2);
    assert_true(says("b", "no JSON", 6000));
    assert_int_equal(left_out, 0);
    tw_app_once_done(&once);
}

static void a_flood_of_kinds_is_held_back_and_counted(void **state)
{
    (void)state;
    char reason[32];
    int said = 0;
    once = (tw_app_once){0};
    for (int i = 0; i < 100; i++) {
        snprintf(reason, sizeof reason, "at byte %d", i);
        said += says("a", reason, 5000);
    }
    assert_int_equal(said, TW_APP_KINDS);
    assert_true(says("a", "at byte 200", 6000));
    assert_int_equal(left_out, 100 - TW_APP_KINDS);
    tw_app_once_done(&once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            each_kind_is_said_at_once_and_then_each_second_with_what_was_left_out),
        cmocka_unit_test(a_flood_of_kinds_is_held_back_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
