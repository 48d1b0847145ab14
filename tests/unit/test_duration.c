// SPDX-License-Identifier: Apache-2.0
/* Tests of base/duration: durations and points in time, both ways. */
#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},           {"0s", 0},
        {"250ms", 250},     {"90s", 90000},
        {"2h30m", 9000000}, {"7d", 604800000},
        {"2w", 1209600000}, {"1w1d1h1m1s1ms", 694861001},
        {"1m1ms", 60001},   {"36525d", TW_DURATION_MAX_MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_int_equal(tw_duration_parse(cases[i].text, strlen(cases[i].text), &ms),
                         TW_OK);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "5",
                                      "00",
                                      "s",
                                      "-5s",
                                      "5 s",
                                      "1s1s",
                                      "1m1h",
                                      "1.5s",
                                      "5S",
                                      "5sec",
                                      "5s ",
                                      "9223372036854775807s",
                                      "99999999999999999999ms",
                                      "9223372036854775807ms1ms"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 77;
        assert_int_equal(tw_duration_parse(bad[i], strlen(bad[i]), &ms), TW_EPARSE);
        assert_int_equal(ms, 77);
    }
}

static void a_span_beyond_a_hundred_years_is_refused(void **state)
{
    static const char *const far[] = {"36525d1ms", "5219w", "106751991167d",
                                      "9223372036854775807ms"};
    (void)state;
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        int64_t ms = 77;
        assert_int_equal(tw_duration_parse(far[i], strlen(far[i]), &ms), TW_ELIMIT);
        assert_int_equal(ms, 77);
    }
}

static void durations_are_written_so_that_they_read_back(void **state)
{
    (void)state;
    char out[64];
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},
                 {9000000, "2h30m"},
                 {250, "250ms"},
                 {60001, "1m1ms"},
                 {1209600000, "14d"},
                 {-5000, "-5s"},
                 {INT64_MAX, "106751991167d7h12m55s807ms"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t back = 0;
        size_t n = tw_duration_format(cases[i].ms, out, sizeof out);
        assert_string_equal(out, cases[i].text);
        assert_int_equal(n, strlen(out));
        if (cases[i].ms < 0 || cases[i].ms > TW_DURATION_MAX_MS)
            continue;
        assert_int_equal(tw_duration_parse(out, n, &back), TW_OK);
        assert_int_equal(back, cases[i].ms);
    }
    tw_duration_format(INT64_MIN, out, sizeof out);
    tw_duration_format(9000000, out, 3);
    assert_string_equal(out, "2h");
}

static void rfc3339_is_read_in_all_its_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2024-11-21T09:40:05Z", INT64_C(1732182005000)},
        {"2024-11-21t09:40:05z", INT64_C(1732182005000)},
        {"2024-11-21 09:40:05.123Z", INT64_C(1732182005123)},
        {"2024-11-21T09:40:05.1Z", INT64_C(1732182005100)},
        {"2024-11-21T09:40:05.123999999999Z", INT64_C(1732182005123)},
        {"2024-11-21T10:40:05+01:00", INT64_C(1732182005000)},
        {"2024-11-21T04:10:05-05:30", INT64_C(1732182005000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_int_equal(tw_time_parse_rfc3339(cases[i].text, strlen(cases[i].text), &ms),
                         TW_OK);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void what_is_no_rfc3339_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2024-11-21",
        "2024-11-21T09:40:05",
        "2024-11-21T09:40Z",
        "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-11-21T24:00:00Z",
        "2024-11-21T09:60:00Z",
        "2024-11-21T09:40:61Z",
        "2024-11-21T09:40:05.Z",
        "2024-11-21T09:40:05+0100",
        "2024-11-21T09:40:05+24:00",
        "2024-11-21T09:40:05Zx",
        "2024/11/21T09:40:05Z",
        "+024-11-21T09:40:05Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 77;
        assert_int_equal(tw_time_parse_rfc3339(bad[i], strlen(bad[i]), &ms), TW_EPARSE);
        assert_int_equal(ms, 77);
    }
    int64_t ms;
    assert_int_equal(tw_time_parse_rfc3339("2024-11-21\0"
                                           "09:40:05Z",
                                           20, &ms),
                     TW_EPARSE);
}

static void every_day_is_written_and_read_back(void **state)
{
    (void)state;
    char out[40];
    assert_int_equal(tw_time_format_rfc3339(INT64_C(1732182005123), out, sizeof out), 24);
    assert_string_equal(out, "2024-11-21T09:40:05.123Z");
    tw_time_format_rfc3339(-1, out, sizeof out);
    assert_string_equal(out, "1969-12-31T23:59:59.999Z");
    for (int64_t day = -719528; day < 2932897; day += 13) { /* years 0 to 9999 */
        int64_t back, ms = day * 86400000 + 86399001;
        size_t n = tw_time_format_rfc3339(ms, out, sizeof out);
        assert_int_equal(tw_time_parse_rfc3339(out, n, &back), TW_OK);
        assert_int_equal(back, ms);
    }
    tw_time_format_rfc3339(INT64_MIN, out, sizeof out);
    tw_time_format_rfc3339(INT64_MAX, out, sizeof out);
}

static void epoch_numbers_are_told_apart_by_magnitude(void **state)
{
    (void)state;
    int64_t a = 0, b = 0;
    static const int64_t stamps[] = {INT64_C(1732182005), INT64_C(1732182005000),
                                     INT64_C(1732182005000000),
                                     INT64_C(1732182005000000000)};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tw_time_from_int(stamps[i], &a), TW_OK);
        assert_int_equal(tw_time_from_number((double)stamps[i], &b), TW_OK);
        assert_int_equal(a, INT64_C(1732182005000));
        assert_int_equal(b, INT64_C(1732182005000));
    }
    assert_int_equal(tw_time_from_int(99999999999, &a), TW_OK);
    assert_int_equal(a, INT64_C(99999999999000));
    assert_int_equal(tw_time_from_int(100000000000, &a), TW_OK);
    assert_int_equal(a, INT64_C(100000000000));
}

static void fractions_of_a_second_lose_no_millisecond(void **state)
{
    (void)state;
    /* Just above a power of two the product with 1000 rounds worst: 2^30 is in 2004. */
    static const int64_t starts[] = {INT64_C(1073741824000), INT64_C(1732182005000)};
    for (int64_t part = 0; part < 2000; part++) {
        int64_t ms, wanted = starts[part / 1000] + part % 1000;
        assert_int_equal(tw_time_from_number((double)wanted / 1000, &ms), TW_OK);
        assert_int_equal(ms, wanted);
    }
    int64_t ms;
    assert_int_equal(tw_time_from_number(1732182005.1239, &ms), TW_OK);
    assert_int_equal(ms, INT64_C(1732182005123));
}

static void numbers_that_are_no_time_are_refused(void **state)
{
    (void)state;
    int64_t ms = 77;
    assert_int_equal(tw_time_from_number(-1, &ms), TW_EPARSE);
    assert_int_equal(tw_time_from_number(strtod("nan", NULL), &ms), TW_EPARSE);
    assert_int_equal(tw_time_from_number(strtod("inf", NULL), &ms), TW_EPARSE);
    assert_int_equal(tw_time_from_number(1e300, &ms), TW_EPARSE);
    assert_int_equal(tw_time_from_number(2.6e20, &ms), TW_EPARSE);
    assert_int_equal(tw_time_from_int(-1, &ms), TW_EPARSE);
    assert_int_equal(ms, 77);
    assert_int_equal(tw_time_from_int(INT64_MAX, &ms), TW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(a_span_beyond_a_hundred_years_is_refused),
        cmocka_unit_test(durations_are_written_so_that_they_read_back),
        cmocka_unit_test(rfc3339_is_read_in_all_its_forms),
        cmocka_unit_test(what_is_no_rfc3339_is_refused),
        cmocka_unit_test(every_day_is_written_and_read_back),
        cmocka_unit_test(epoch_numbers_are_told_apart_by_magnitude),
        cmocka_unit_test(fractions_of_a_second_lose_no_millisecond),
        cmocka_unit_test(numbers_that_are_no_time_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
