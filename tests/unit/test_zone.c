// SPDX-License-Identifier: Apache-2.0
/* Time zones, at and around the changes of the clock. The instants were taken from date(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "base/zone.h"
#include "base/zone_impl.h"

#define HOUR INT64_C(3600000)

static int64_t at(const char *text)
{
    int64_t ms;

    assert_int_equal(tw_time_parse_rfc3339(text, strlen(text), &ms), 0);
    return ms;
}

static tw_zone *zone(const char *name)
{
    tw_err err = {0};
    tw_zone *z = tw_zone_open(name, &err);

    if (!z)
        fail_msg("%s", err.text);
    return z;
}

static void the_wall_in_berlin_is_ahead_by_one_hour_or_two(void **state)
{
    tw_zone *z = zone("Europe/Berlin");
    (void)state;
    assert_int_equal(tw_zone_offset_ms(z, at("2024-01-15T12:00:00Z")), HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2024-07-15T12:00:00Z")), 2 * HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2024-03-31T00:59:59.999Z")), HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2024-03-31T01:00:00Z")), 2 * HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2024-10-27T00:59:59.999Z")), 2 * HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2024-10-27T01:00:00Z")), HOUR);
    tw_zone_free(z);
}

static void behind_the_last_transition_the_rule_of_the_file_holds(void **state)
{
    tw_zone *z = zone("Europe/Berlin");
    (void)state;
    assert_int_equal(tw_zone_offset_ms(z, at("2090-03-26T00:59:59Z")), HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2090-03-26T01:00:00Z")), 2 * HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2090-10-29T01:00:00Z")), HOUR);
    tw_zone_free(z);
    z = zone("Australia/Sydney"); /* summer crosses the year */
    assert_int_equal(tw_zone_offset_ms(z, at("2090-01-01T00:00:00Z")), 11 * HOUR);
    assert_int_equal(tw_zone_offset_ms(z, at("2090-07-01T00:00:00Z")), 10 * HOUR);
    tw_zone_free(z);
}

static void a_skipped_time_is_the_moment_of_the_jump(void **state)
{
    tw_zone *z = zone("Europe/Berlin");
    (void)state;
    assert_int_equal(tw_zone_instant_ms(z, at("2024-03-31T01:59:59Z")),
                     at("2024-03-31T00:59:59Z"));
    assert_int_equal(tw_zone_instant_ms(z, at("2024-03-31T02:30:00Z")),
                     at("2024-03-31T01:00:00Z"));
    assert_int_equal(tw_zone_instant_ms(z, at("2024-03-31T03:00:00Z")),
                     at("2024-03-31T01:00:00Z"));
    assert_int_equal(tw_zone_instant_ms(z, at("2024-03-31T03:30:00Z")),
                     at("2024-03-31T01:30:00Z"));
    tw_zone_free(z);
}

static void of_a_time_that_comes_twice_the_first_counts(void **state)
{
    tw_zone *z = zone("Europe/Berlin");
    (void)state;
    assert_int_equal(tw_zone_instant_ms(z, at("2024-10-27T02:30:00Z")),
                     at("2024-10-27T00:30:00Z"));
    assert_int_equal(tw_zone_instant_ms(z, at("2024-10-27T03:00:00Z")),
                     at("2024-10-27T02:00:00Z"));
    tw_zone_free(z);
}

/* Every instant shown is found again, unless the wall shows the same twice. */
static void instants_and_walls_agree_everywhere(void **state)
{
    static const char *const names[] = {"Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Asia/Kolkata", "UTC"};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        tw_zone *z = zone(names[n]);
        for (int64_t ms = at("2023-12-25T00:00:00Z"); ms < at("2025-01-05T00:00:00Z");
             ms += HOUR / 4) {
            int64_t wall = ms + tw_zone_offset_ms(z, ms);
            int64_t back = tw_zone_instant_ms(z, wall);
            assert_true(back <= ms);
            assert_int_equal(back + tw_zone_offset_ms(z, back), wall);
        }
        tw_zone_free(z);
    }
}

static void the_c_library_agrees(void **state)
{
    (void)state;
    setenv("TZ", "America/New_York", 1);
    tzset();
    tw_zone *z = zone("America/New_York");
    for (int64_t ms = 0; ms < at("2060-01-01T00:00:00Z"); ms += 37 * HOUR) {
        time_t s = (time_t)(ms / 1000);
        struct tm tm;
        localtime_r(&s, &tm);
        assert_int_equal(tw_zone_offset_ms(z, ms), tm.tm_gmtoff * INT64_C(1000));
    }
    tw_zone_free(z);
}

static void daily_times_keep_to_the_wall(void **state)
{
    tw_zone *z = zone("Europe/Berlin");
    int64_t three = 3 * HOUR;
    (void)state;
    assert_int_equal(
        tw_zone_next_daily(z, TW_ALL_DAYS, three, at("2024-03-30T02:00:00Z")),
        at("2024-03-30T02:00:00Z"));
    assert_int_equal(
        tw_zone_next_daily(z, TW_ALL_DAYS, three, at("2024-03-30T02:00:00.001Z")),
        at("2024-03-31T01:00:00Z"));
    assert_int_equal(
        tw_zone_next_daily(z, TW_ALL_DAYS, 5 * HOUR / 2, at("2024-03-30T12:00:00Z")),
        at("2024-03-31T01:00:00Z")); /* 02:30 is skipped */
    assert_int_equal(
        tw_zone_next_daily(z, TW_ALL_DAYS, 5 * HOUR / 2, at("2024-10-27T00:30:00.001Z")),
        at("2024-10-28T01:30:00Z")); /* the second 02:30 is none */
    assert_int_equal(tw_zone_next_daily(z, 1u << 0, three, at("2024-11-21T00:00:00Z")),
                     at("2024-11-25T02:00:00Z")); /* the next Monday */
    assert_int_equal(tw_zone_next_daily(z, 0, three, 0), INT64_MAX);
    tw_zone_free(z);
}

static void days_and_times_are_read(void **state)
{
    uint32_t days;
    int64_t ms;
    (void)state;
    assert_int_equal(tw_days_parse("mon-fri", &days, NULL), 0);
    assert_int_equal(days, 0x1f);
    assert_int_equal(tw_days_parse("sat,sun", &days, NULL), 0);
    assert_int_equal(days, 0x60);
    assert_int_equal(tw_days_parse("fri-mon, wed", &days, NULL), 0);
    assert_int_equal(days, 0x75);
    assert_int_equal(tw_daytime_parse("03:00", &ms, NULL), 0);
    assert_int_equal(ms, 3 * HOUR);
    assert_int_equal(tw_daytime_parse("24:00", &ms, NULL), 0);
    assert_int_equal(tw_daytime_parse("23:59:30", &ms, NULL), 0);
    assert_int_equal(ms, 24 * HOUR - 30000);
}

static void what_is_neither_is_refused(void **state)
{
    static const char *const days[] = {"", "monday", "mon-", "mon,,tue", "mo"};
    static const char *const times[] = {"",      "3:00",        "03:60",
                                        "24:01", "03:00:00:00", "25:00"};
    static const char *const names[] = {"Europe/Nowhere", "", "/etc/passwd",
                                        "../../../etc/passwd", "Europe"};
    static const char *const rules[] = {
        "CET",    "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-999"};
    uint32_t mask;
    int64_t ms;
    tw_err err;
    tw_zone_rule rule;
    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        assert_true(tw_days_parse(days[i], &mask, &err) < 0);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_true(tw_daytime_parse(times[i], &ms, &err) < 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(tw_zone_open(names[i], &err));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_false(tw_zone_rule_read(&rule, rules[i], rules[i] + strlen(rules[i])));
}

static void rules_may_count_days_of_the_year(void **state)
{
    static const char text[] = "<+03>-3<+04>,J60/0,300/26:30\n";
    tw_zone_rule r;
    (void)state;
    assert_true(tw_zone_rule_read(&r, text, text + strlen(text)));
    /* J60 is the first of March in a leap year, too, at midnight of +03 */
    assert_int_equal(tw_zone_rule_offset_s(&r, at("2024-02-29T20:59:59Z") / 1000), 10800);
    assert_int_equal(tw_zone_rule_offset_s(&r, at("2024-02-29T21:00:00Z") / 1000), 14400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_in_berlin_is_ahead_by_one_hour_or_two),
        cmocka_unit_test(behind_the_last_transition_the_rule_of_the_file_holds),
        cmocka_unit_test(a_skipped_time_is_the_moment_of_the_jump),
        cmocka_unit_test(of_a_time_that_comes_twice_the_first_counts),
        cmocka_unit_test(instants_and_walls_agree_everywhere),
        cmocka_unit_test(the_c_library_agrees),
        cmocka_unit_test(daily_times_keep_to_the_wall),
        cmocka_unit_test(days_and_times_are_read),
        cmocka_unit_test(what_is_neither_is_refused),
        cmocka_unit_test(rules_may_count_days_of_the_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
