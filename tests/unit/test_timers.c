// SPDX-License-Identifier: Apache-2.0
/* Timers of keyed entries: they leave in order of deadline and key, at any distance. */
#include "state/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

typedef struct entry {
    uint64_t something;
    tw_timer timer;
} entry;

#define YEAR_MS (365ll * 24 * 3600 * 1000)

static uint32_t add(tw_keyed *k, uint32_t n)
{
    char text[48];
    int len = snprintf(text, sizeof text, "a host with a long name %04u", n);
    tw_key key = tw_key_from_bytes((const uint8_t *)text, (uint32_t)len);
    uint32_t number = tw_keyed_add(k, &key);
    tw_timer_init(&((entry *)tw_keyed_at(k, number))->timer);
    return number;
}

typedef struct fixture {
    tw_keyed *keys;
    tw_timers *timers;
} fixture;

static fixture make(uint32_t count)
{
    fixture f = {.keys = tw_keyed_new(sizeof(entry))};
    for (uint32_t n = 0; n < count; n++) {
        assert_int_equal(add(f.keys, n), n);
    }
    f.timers = tw_timers_new(f.keys, offsetof(entry, timer));
    return f;
}

static void done(fixture *f)
{
    tw_timers_free(f->timers);
    tw_keyed_free(f->keys);
}

static void assert_pops(fixture *f, int64_t before_ms, uint32_t number,
                        int64_t deadline_ms)
{
    int64_t deadline = -1;
    assert_true(tw_timers_next(f->timers) <= deadline_ms);
    assert_int_equal(tw_timers_pop(f->timers, before_ms, &deadline), number);
    assert_int_equal(deadline, deadline_ms);
}

static void assert_quiet(fixture *f, int64_t before_ms)
{
    int64_t deadline = -1;
    assert_int_equal(tw_timers_pop(f->timers, before_ms, &deadline), TW_KEYED_NONE);
    assert_true(tw_timers_next(f->timers) >= before_ms);
}

static void a_deadline_fires_only_when_the_clock_is_past_it(void **state)
{
    (void)state;
    fixture f = make(1);
    tw_timers_set(f.timers, 0, 1000);
    assert_quiet(&f, 1000);
    assert_pops(&f, 1001, 0, 1000);
    assert_quiet(&f, 5000);
    assert_int_equal(tw_timers_next(f.timers), INT64_MAX);
    done(&f);
}

static void equal_deadlines_leave_in_order_of_key_bytes(void **state)
{
    (void)state;
    fixture f = make(5);
    tw_timers_set(f.timers, 3, 1732182000000);
    tw_timers_set(f.timers, 1, 1732182000000);
    tw_timers_set(f.timers, 4, 1732182000000);
    tw_timers_set(f.timers, 0, 1732182000001);
    assert_pops(&f, INT64_MAX, 1, 1732182000000);
    tw_timers_set(f.timers, 2,
                  1732182000000); /* armed while its millisecond is leaving */
    assert_pops(&f, INT64_MAX, 2, 1732182000000);
    assert_pops(&f, INT64_MAX, 3, 1732182000000);
    tw_timers_set(f.timers, 4, TW_TIMER_OFF);
    assert_pops(&f, INT64_MAX, 0, 1732182000001);
    assert_quiet(&f, INT64_MAX);
    done(&f);
}

static void years_ahead_and_jumps_of_years_are_one_step(void **state)
{
    (void)state;
    fixture f = make(3);
    tw_timers_set(f.timers, 0, 8000 * YEAR_MS);
    tw_timers_set(f.timers, 1, 54 * YEAR_MS);
    tw_timers_set(f.timers, 2, -10 * YEAR_MS);
    assert_pops(&f, 54 * YEAR_MS, 2, -10 * YEAR_MS);
    assert_quiet(&f, 54 * YEAR_MS);
    assert_pops(&f, 9000 * YEAR_MS, 1, 54 * YEAR_MS);
    assert_pops(&f, 9000 * YEAR_MS, 0, 8000 * YEAR_MS);
    assert_quiet(&f, 9000 * YEAR_MS);
    done(&f);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 33;
}

static int64_t random_deadline(uint64_t *seed, int64_t now)
{
    static const int64_t span[] = {1, 5, 70, 5000, 300000, 4000000, YEAR_MS};
    return now - 3 + (int64_t)(next_random(seed) % (uint64_t)span[next_random(seed) % 7]);
}

static uint64_t current_seed;

static int say_seed(void **state)
{
    (void)state;
    print_message("last seed: %llu\n", (unsigned long long)current_seed);
    return 0;
}

/* The key goes and comes again: what was noted for it must not reach the new entry. */
static void replace_entry(fixture *f, uint32_t n)
{
    tw_timers_set(f->timers, n, TW_TIMER_OFF);
    tw_keyed_remove(f->keys, n);
    assert_int_equal(add(f->keys, n), n);
}

/* The list is the model: a deadline for each of a few keys, searched each time. */
static void check_against_list(uint64_t seed)
{
    enum { KEYS = 40 };
    int64_t list[KEYS], now = 1700000000000;
    fixture f = make(KEYS);

    current_seed = seed;
    for (int n = 0; n < KEYS; n++) {
        list[n] = INT64_MAX;
    }
    for (int step = 0; step < 400; step++) {
        for (uint64_t sets = next_random(&seed) % 8; sets > 0; sets--) {
            uint32_t n = (uint32_t)(next_random(&seed) % KEYS);
            list[n] = next_random(&seed) % 5 ? random_deadline(&seed, now) : INT64_MAX;
            tw_timers_set(f.timers, n, list[n]);
        }
        if (next_random(&seed) % 4 == 0) {
            uint32_t n = (uint32_t)(next_random(&seed) % KEYS);
            replace_entry(&f, n);
            list[n] = INT64_MAX;
        }
        now += (int64_t)(next_random(&seed) % 3 ? next_random(&seed) % 50
                                                : next_random(&seed) % 5000000);
        for (;;) {
            uint32_t first = 0;
            for (uint32_t n = 1; n < KEYS; n++) {
                first = list[n] < list[first] ? n : first;
            }
            assert_true(tw_timers_next(f.timers) <= list[first]);
            if (list[first] >= now) {
                break;
            }
            assert_pops(&f, now, first, list[first]);
            list[first] = INT64_MAX;
            if (next_random(&seed) % 4 == 0) { /* what fires may arm again */
                list[first] = random_deadline(&seed, now);
                tw_timers_set(f.timers, first, list[first]);
            }
        }
        assert_quiet(&f, now);
    }
    done(&f);
}

static void random_timers_agree_with_a_searched_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        check_against_list(seed);
    }
}

static void cancelled_timers_do_not_pile_up(void **state)
{
    enum { KEYS = 500, ROUNDS = 2000 };
    (void)state;
    uint64_t seed = 11;
    fixture f = make(KEYS);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = tw_mem_allocations();
        for (uint32_t n = 0; n < KEYS; n++) {
            /* Earlier each time, so each is noted anew; then another key takes its place. */
            for (int64_t at = 3; at > 0; at--) {
                tw_timers_set(f.timers, n,
                              1700000000000 + at * 4000000 +
                                  (int64_t)(next_random(&seed) % 3000000));
            }
            tw_timers_set(f.timers, n, TW_TIMER_OFF);
            tw_timer_init(&((entry *)tw_keyed_at(f.keys, n))->timer); /* a new key */
        }
        assert_true(round < 10 || tw_mem_allocations() == before);
    }
    assert_quiet(&f, 1800000000000);
    assert_int_equal(tw_timers_next(f.timers), INT64_MAX);
    done(&f);
}

static void a_timer_that_was_moved_on_fires_once_and_in_its_time(void **state)
{
    (void)state;
    fixture f = make(2);
    tw_timers_set(f.timers, 0, 1000);
    tw_timers_set(f.timers, 1, 2500);
    tw_timers_set(f.timers, 0, 3000);
    tw_timers_set(f.timers, 0, 2000);
    tw_timers_set(f.timers, 0, 3000);
    assert_pops(&f, 10000, 1, 2500);
    assert_pops(&f, 10000, 0, 3000);
    assert_quiet(&f, 10000);
    tw_timers_set(f.timers, 0, 20000);
    tw_timers_set(f.timers, 0, TW_TIMER_OFF);
    tw_timers_set(f.timers, 0, 20000);
    assert_pops(&f, 30000, 0, 20000);
    assert_quiet(&f, 30000);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_fires_only_when_the_clock_is_past_it),
        cmocka_unit_test(equal_deadlines_leave_in_order_of_key_bytes),
        cmocka_unit_test(years_ahead_and_jumps_of_years_are_one_step),
        cmocka_unit_test(a_timer_that_was_moved_on_fires_once_and_in_its_time),
        cmocka_unit_test(cancelled_timers_do_not_pile_up),
        cmocka_unit_test_teardown(random_timers_agree_with_a_searched_list, say_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
