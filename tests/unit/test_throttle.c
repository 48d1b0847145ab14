// SPDX-License-Identifier: Apache-2.0
/* How many events of a key go out: periods that begin with the first, and are each key's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/throttle.h"

enum { PER = 1000, HOUR = 3600000 };

typedef struct bench {
    tw_rule *rule;
    tw_throttle *throttle;
} bench;

static int open_bench(void **state)
{
    bench *b = tw_alloc(sizeof *b);

    b->rule = tw_rule_new();
    b->rule->emit = tw_alloc(sizeof *b->rule->emit);
    b->rule->emit->throttle_max = 2;
    b->rule->emit->throttle_per_ms = PER;
    b->throttle = tw_throttle_new(b->rule);
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    bench *b = *state;

    tw_throttle_free(b->throttle);
    tw_rule_unref(b->rule);
    tw_free(b);
    return 0;
}

static bool takes(bench *b, const char *name, int64_t time_ms)
{
    tw_key key = tw_key_from_bytes((const uint8_t *)name, (uint32_t)strlen(name));

    return tw_throttle_takes(b->throttle, &key, time_ms, time_ms);
}

static void a_period_begins_with_the_first_and_takes_max(void **state)
{
    bench *b = *state;

    assert_true(takes(b, "a", 500));
    assert_true(takes(b, "a", 600));
    assert_false(takes(b, "a", 700));
    assert_false(takes(b, "a", 1499));
    assert_true(takes(b, "a", 1500));
    assert_true(takes(b, "a", 2499));
    assert_false(takes(b, "a", 2499));
}

static void each_key_has_its_own(void **state)
{
    bench *b = *state;

    assert_true(takes(b, "a", 0));
    assert_true(takes(b, "a", 1));
    assert_true(takes(b, "b", 1));
    assert_false(takes(b, "a", 2));
    assert_true(takes(b, "b", 2));
    assert_false(takes(b, "b", 3));
}

static void an_older_event_counts_in_the_period_there_is(void **state)
{
    bench *b = *state;

    assert_true(takes(b, "a", 5000));
    assert_true(takes(b, "a", 3000));
    assert_false(takes(b, "a", 3001));
    assert_false(takes(b, "a", 5999));
    assert_true(takes(b, "a", 6000));
}

static void periods_are_forgotten_an_hour_after_their_end(void **state)
{
    bench *b = *state;

    takes(b, "a", 0);
    takes(b, "b", 10);
    takes(b, "c", HOUR + PER);
    assert_int_equal(tw_throttle_count(b->throttle), 3);
    takes(b, "c", HOUR + PER + 5);
    assert_int_equal(tw_throttle_count(b->throttle), 2);
}

static void beyond_max_keys_the_oldest_period_goes(void **state)
{
    bench *b = *state;
    char name[16];

    b->rule->max_keys = 10;
    for (int n = 0; n < 30; n++) {
        snprintf(name, sizeof name, "k%d", n);
        assert_true(takes(b, name, n));
        assert_true(tw_throttle_count(b->throttle) <= 10);
    }
}

static void that_it_holds_back_is_news_once(void **state)
{
    bench *b = *state;

    assert_true(tw_throttle_is_news(b->throttle, 0));
    assert_false(tw_throttle_is_news(b->throttle, 999));
    assert_false(tw_throttle_is_news(b->throttle, 1500));
    assert_true(tw_throttle_is_news(b->throttle, 2500));
}

static void it_goes_on_from_bytes_and_in_a_newer_version(void **state)
{
    bench *b = *state;
    tw_buf bytes;
    tw_err err;

    takes(b, "a", 0);
    takes(b, "a", 0);
    takes(b, "b", 400);
    tw_buf_init(&bytes, 1 << 20);
    tw_throttle_save(b->throttle, &bytes);
    tw_throttle_free(b->throttle);
    b->throttle = tw_throttle_new(b->rule);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_int_equal(tw_throttle_load(b->throttle, &in, &err), 0);
    assert_false(takes(b, "a", 900));

    tw_throttle *fresh = tw_throttle_new(b->rule);
    tw_throttle_adopt(fresh, b->throttle);
    tw_throttle_free(b->throttle);
    b->throttle = fresh;
    assert_false(takes(b, "a", 900));
    assert_true(takes(b, "b", 900));
    assert_false(takes(b, "b", 900));

    for (size_t cut = 0; cut < bytes.len; cut++) {
        tw_throttle *other = tw_throttle_new(b->rule);
        in = tw_state_in_of(bytes.data, cut);
        assert_int_equal(tw_throttle_load(other, &in, &err), TW_EPARSE);
        tw_throttle_free(other);
    }
    tw_buf_done(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_period_begins_with_the_first_and_takes_max),
        TEST(each_key_has_its_own),
        TEST(an_older_event_counts_in_the_period_there_is),
        TEST(periods_are_forgotten_an_hour_after_their_end),
        TEST(beyond_max_keys_the_oldest_period_goes),
        TEST(that_it_holds_back_is_news_once),
        TEST(it_goes_on_from_bytes_and_in_a_newer_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#undef TEST
}
