// SPDX-License-Identifier: Apache-2.0
/* The level detector over a sliding window: levels, holds, clearing, no data, keys. */
#include "detecting.h"

#define MIN 60000

static tw_rule *count_rule(int64_t over_ms, double crit)
{
    tw_rule *r = simple_rule(TW_AGG_COUNT, TW_WINDOW_SLIDING, over_ms, 0);
    at_least(r, TW_LEVEL_CRIT, crit);
    return r;
}

static void a_count_reaches_its_level_and_falls_when_events_leave(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 3));
    event_at(d, 5000, "k", 0);
    event_at(d, 5100, "k", 0);
    expect_nothing(d);
    event_at(d, 5200, "k", 0);
    expect_line(d, "5200 k level ok>crit 3");
    assert_int_equal(d->last.newest.offset, 2);
    assert_int_equal(d->last.start_ms, 4200);
    assert_int_equal(d->last.stop_ms, 5200);
    advance(d, 6000);
    expect_nothing(d);
    advance(d, 6001);
    expect_line(d, "6000 k level crit>ok 2");
    assert_int_equal(d->last.newest.partition, -1);
    advance(d, 900000);
    expect_nothing(d);
    desk_free(d);
}

static void at_one_instant_arrivals_and_departures_are_judged_once(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 3));
    event_at(d, 5000, "k", 0);
    event_at(d, 5500, "k", 0);
    event_at(d, 6000, "k", 0); /* the first leaves now: (5000, 6000] */
    expect_nothing(d);
    event_at(d, 6400, "k", 0);
    expect_line(d, "6400 k level ok>crit 3");
    event_at(d, 6500, "k", 0); /* one comes, one leaves */
    expect_nothing(d);
    desk_free(d);
}

static void keys_are_judged_apart_and_fire_in_order_of_time_and_key(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 1));
    event_at(d, 5000, "b", 0);
    event_at(d, 5000, "a", 0);
    event_at(d, 4900, "c", 0);
    expect_line(d, "5000 b level ok>crit 1");
    expect_line(d, "5000 a level ok>crit 1");
    expect_line(d, "5000 c level ok>crit 1");
    advance(d, 7000);
    expect_line(d, "5900 c level crit>ok 0");
    expect_line(d, "6000 a level crit>ok 0");
    expect_line(d, "6000 b level crit>ok 0");
    desk_free(d);
}

static void an_older_event_counts_in_its_place(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 3));
    event_at(d, 5000, "k", 0);
    event_at(d, 5600, "k", 0);
    event_at(d, 5300, "k", 0);
    expect_line(d, "5600 k level ok>crit 3");
    advance(d, 6001);
    expect_line(d, "6000 k level crit>ok 2");
    event_at(d, 6100, "k", 0);
    expect_line(d, "6100 k level ok>crit 3");
    advance(d, 6301);
    expect_line(d, "6300 k level crit>ok 2");
    desk_free(d);
}

static void an_event_that_has_left_already_is_late(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 1));
    advance(d, 6000);
    event_only(d, 5000, "k", 0, tw_value_absent(), -1);
    assert_int_equal(atomic_load(&d->late.value), 1);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    event_only(d, 5001, "k", 0, tw_value_absent(), -1);
    expect_line(d, "6000 k level ok>crit 1");
    assert_int_equal(atomic_load(&d->late.value), 1);
    desk_free(d);
}

static void an_event_moves_its_key_ahead_of_the_rules_clock(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 2));
    advance(d, 1000);
    event_only(d, 1000, "k", 0, tw_value_absent(), -1);
    event_only(d, 1100, "k", 0, tw_value_absent(), -1);
    expect_line(d, "1100 k level ok>crit 2");
    event_only(d, 5000, "k", 0, tw_value_absent(), -1);
    expect_line(d, "2000 k level crit>ok 1");
    expect_nothing(d);
    desk_free(d);
}

static void a_hold_starts_with_the_event_and_ends_by_the_clock(void **state)
{
    (void)state;
    tw_rule *r = count_rule(10 * MIN, 2);
    level_of(r, TW_LEVEL_CRIT)->hold_ms = 2 * MIN;
    desk *d = desk_new(r);
    event_at(d, 0, "k", 0);
    event_at(d, 1 * MIN, "k", 0);
    expect_line(d, "60000 k pending ok>crit 2");
    event_at(d, 2 * MIN, "k", 0);
    advance(d, 3 * MIN);
    expect_nothing(d);
    advance(d, 3 * MIN + 1);
    expect_line(d, "180000 k level ok>crit 3");
    assert_int_equal(d->last.newest.offset, 2);
    desk_free(d);
}

static void a_hold_that_is_broken_starts_anew(void **state)
{
    (void)state;
    tw_rule *r = count_rule(1000, 2);
    level_of(r, TW_LEVEL_CRIT)->hold_ms = 1000;
    desk *d = desk_new(r);
    event_at(d, 5000, "k", 0);
    event_at(d, 5500, "k", 0);
    expect_line(d, "5500 k pending ok>crit 2");
    advance(d, 6400);
    expect_line(d, "6000 k pending ok>ok 1");
    event_at(d, 6450, "k", 0);
    expect_line(d, "6450 k pending ok>crit 2");
    event_at(d, 6500, "k", 0); /* one comes, one leaves: still two */
    event_at(d, 7450, "k",
             0); /* at the end of the hold: judged first, and only two are left */
    expect_nothing(d);
    advance(d, 7451);
    expect_line(d, "7450 k level ok>crit 2");
    desk_free(d);
}

static void the_last_instant_of_a_hold_can_still_break_it(void **state)
{
    (void)state;
    tw_rule *r = count_rule(1000, 2);
    level_of(r, TW_LEVEL_CRIT)->hold_ms = 500;
    desk *d = desk_new(r);
    event_at(d, 5000, "k", 0);
    event_at(d, 5500, "k", 0);
    expect_line(d, "5500 k pending ok>crit 2");
    advance(d, 9000); /* at 6000 the hold ends and an event leaves: not held */
    expect_line(d, "6000 k pending ok>ok 1");
    expect_nothing(d);
    desk_free(d);
}

static void a_level_stays_until_its_clear_is_reached_and_has_lasted(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_LAST, TW_WINDOW_NONE, 0, 0);
    tw_level_spec *crit = level_of(r, TW_LEVEL_CRIT);
    crit->above = (tw_bound){true, 90};
    crit->clear = (tw_bound){true, 70};
    crit->clear_hold_ms = 1000;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 90);
    expect_nothing(d);
    event_at(d, 2000, "k", 91);
    expect_line(d, "2000 k level ok>crit 91");
    event_at(d, 3000, "k", 80);
    event_at(d, 4000, "k", 70); /* clearing from here */
    event_at(d, 4500, "k", 75); /* not any more */
    event_at(d, 8000, "k", 60);
    advance(d, 9000);
    expect_nothing(d);
    advance(d, 9001);
    expect_line(d, "9000 k level crit>ok 60");
    desk_free(d);
}

static void the_highest_level_that_has_held_wins(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_LAST, TW_WINDOW_NONE, 0, 0);
    level_of(r, TW_LEVEL_WARN)->above = (tw_bound){true, 10};
    level_of(r, TW_LEVEL_CRIT)->above = (tw_bound){true, 20};
    level_of(r, TW_LEVEL_CRIT)->hold_ms = 1000;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 25);
    expect_line(d, "1000 k level ok>warn 25");
    expect_line(d, "1000 k pending warn>crit 25");
    advance(d, 2500);
    expect_line(d, "2000 k level warn>crit 25");
    event_at(d, 3000, "k", 15);
    expect_line(d, "3000 k level crit>warn 15");
    event_at(d, 4000, "k", 5);
    expect_line(d, "4000 k level warn>ok 5");
    expect_nothing(d);
    desk_free(d);
}

static void without_a_value_the_level_is_kept(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_AVG, TW_WINDOW_SLIDING, 1000, 0);
    level_of(r, TW_LEVEL_WARN)->above = (tw_bound){true, 10};
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 20);
    expect_line(d, "1000 k level ok>warn 20");
    advance(d, 100 * MIN);
    expect_nothing(d);
    assert_int_equal(d->det->cls->key_count(d->det),
                     1); /* not forgotten while it is open */
    event_at(d, 100 * MIN, "k", 5);
    expect_line(d, "6000000 k level warn>ok 5");
    desk_free(d);
}

static void nodata_case(tw_nodata_be be, const char *line, const char *back)
{
    tw_rule *r = simple_rule(TW_AGG_AVG, TW_WINDOW_SLIDING, 1000, 0);
    level_of(r, TW_LEVEL_WARN)->above = (tw_bound){true, 10};
    level_of(r, TW_LEVEL_CRIT)->above = (tw_bound){true, 100};
    r->level.has_nodata = true;
    r->level.nodata_after_ms = 5000;
    r->level.nodata_be = be;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 20);
    expect_line(d, "1000 k level ok>warn 20");
    event_at(d, 2000, "k", 20);
    event_only(d, 2500, "k", 0, tw_value_absent(), -1); /* no sample: it has no value */
    advance(d, 7000);
    expect_nothing(d);
    advance(d, 7001);
    if (line) {
        expect_line(d, line);
    }
    advance(d, 20000);
    expect_nothing(d);
    event_at(d, 20000, "k", 5);
    if (back) {
        expect_line(d, back);
    }
    expect_nothing(d);
    desk_free(d);
}

static void nodata_acts_when_after_is_over(void **state)
{
    (void)state;
    nodata_case(TW_NODATA_OK, "7000 k level warn>ok - nodata", NULL);
    nodata_case(TW_NODATA_KEEP, NULL, "20000 k level warn>ok 5");
    nodata_case(TW_NODATA_UNKNOWN, "7000 k level warn>unknown - nodata",
                "20000 k level unknown>ok 5");
    nodata_case(TW_NODATA_ALERT, "7000 k level warn>crit - nodata",
                "20000 k level crit>ok 5");
}

static void nodata_speaks_of_a_key_at_rest_too(void **state)
{
    (void)state;
    tw_rule *r = count_rule(1000, 5);
    r->level.has_nodata = true;
    r->level.nodata_after_ms = 5000;
    r->level.nodata_be = TW_NODATA_UNKNOWN;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 0);
    advance(d, 6001);
    expect_line(d, "6000 k level ok>unknown 0 nodata");
    desk_free(d);
}

static void fewer_than_min_samples_are_no_value(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_AVG, TW_WINDOW_SLIDING, 1000, 0);
    level_of(r, TW_LEVEL_WARN)->above = (tw_bound){true, 10};
    r->level.min_samples = 2;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 20);
    expect_nothing(d);
    event_at(d, 1100, "k", 30);
    expect_line(d, "1100 k level ok>warn 25");
    advance(d, 5000);
    expect_nothing(d);
    desk_free(d);
}

static void a_low_count_fires_when_events_leave(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_COUNT, TW_WINDOW_SLIDING, 1000, 0);
    below(r, TW_LEVEL_CRIT, 1);
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 0);
    event_at(d, 1500, "k", 0);
    expect_nothing(d);
    advance(d, 10 * MIN);
    expect_line(d, "2500 k level ok>crit 0");
    assert_int_equal(d->last.newest.offset, 1);
    event_at(d, 10 * MIN, "k", 0);
    expect_line(d, "600000 k level crit>ok 1");
    desk_free(d);
}

static void full_waits_until_the_window_has_been_filled(void **state)
{
    (void)state;
    tw_rule *r = simple_rule(TW_AGG_COUNT, TW_WINDOW_SLIDING, 1000, 0);
    below(r, TW_LEVEL_CRIT, 3);
    r->level.window.full = true;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 0);
    event_at(d, 1900, "k", 0);
    expect_nothing(d);
    advance(d, 2001);
    expect_line(d, "2000 k level ok>crit 1");
    desk_free(d);
}

static void at_input_judges_only_there(void **state)
{
    (void)state;
    tw_rule *r = count_rule(1000, 2);
    r->level.at_input = 1;
    desk *d = desk_new(r);
    event_at(d, 1000, "k", 0);
    event_at(d, 1100, "k", 0);
    expect_nothing(d);
    event_only(d, 1200, "k", 1, tw_value_absent(), -1);
    expect_line(d, "1200 k level ok>crit 2");
    advance(d, 9000);
    expect_nothing(d);
    event_only(d, 9000, "k", 1, tw_value_absent(), -1);
    expect_line(d, "9000 k level crit>ok 0");
    desk_free(d);
}

static void a_quiet_key_is_forgotten_to_the_millisecond(void **state)
{
    (void)state;
    desk *d = desk_new(count_rule(1000, 5));
    event_at(d, 1000, "k", 0);
    event_at(d, 2000, "k", 0);
    advance(d, 2000 + 3600000);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    advance(d, 2000 + 3600001);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    assert_int_equal(atomic_load(&d->keys.value), 0);
    assert_int_equal(d->det->cls->next_deadline(d->det), INT64_MAX);
    desk_free(d);
}

static void beyond_max_keys_the_oldest_goes_and_resolves(void **state)
{
    (void)state;
    tw_rule *r = count_rule(10 * MIN, 2);
    r->max_keys = 2;
    desk *d = desk_new(r);
    event_at(d, 1000, "a", 0);
    event_at(d, 1100, "b", 0);
    event_at(d, 1200, "b", 0);
    event_at(d, 1300, "a", 0);
    event_at(d, 1400, "c", 0);
    expect_line(d, "1200 b level ok>crit 2");
    expect_line(d, "1300 a level ok>crit 2");
    expect_line(d, "1400 b level crit>ok 2 evicted");
    assert_int_equal(d->last.newest.partition, -1);
    assert_int_equal(atomic_load(&d->evicted.value), 1);
    assert_int_equal(d->det->cls->key_count(d->det), 2);
    desk_free(d);
}

static void bytes_that_save_did_not_write_are_refused(void **state)
{
    (void)state;
    tw_rule *r = count_rule(1000, 3);
    desk *d = desk_new(r);
    tw_detect_env env = desk_env(d);
    tw_buf bytes;

    for (int n = 0; n < 5; n++) {
        event_at(d, 5000 + n, n % 2 ? "a" : "b", n);
    }
    tw_buf_init(&bytes, 1 << 20);
    d->det->cls->save(d->det, &bytes);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        tw_detector *fresh = d->det->cls->new (r, &env, NULL);
        tw_state_in in = tw_state_in_of(bytes.data, cut);
        tw_err err = {0};
        assert_int_equal(fresh->cls->load(fresh, &in, &err), TW_EPARSE);
        fresh->cls->free(fresh);
    }
    tw_buf_done(&bytes);
    desk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_reaches_its_level_and_falls_when_events_leave),
        cmocka_unit_test(at_one_instant_arrivals_and_departures_are_judged_once),
        cmocka_unit_test(keys_are_judged_apart_and_fire_in_order_of_time_and_key),
        cmocka_unit_test(an_older_event_counts_in_its_place),
        cmocka_unit_test(an_event_that_has_left_already_is_late),
        cmocka_unit_test(an_event_moves_its_key_ahead_of_the_rules_clock),
        cmocka_unit_test(a_hold_starts_with_the_event_and_ends_by_the_clock),
        cmocka_unit_test(a_hold_that_is_broken_starts_anew),
        cmocka_unit_test(the_last_instant_of_a_hold_can_still_break_it),
        cmocka_unit_test(a_level_stays_until_its_clear_is_reached_and_has_lasted),
        cmocka_unit_test(the_highest_level_that_has_held_wins),
        cmocka_unit_test(without_a_value_the_level_is_kept),
        cmocka_unit_test(nodata_acts_when_after_is_over),
        cmocka_unit_test(nodata_speaks_of_a_key_at_rest_too),
        cmocka_unit_test(fewer_than_min_samples_are_no_value),
        cmocka_unit_test(a_low_count_fires_when_events_leave),
        cmocka_unit_test(full_waits_until_the_window_has_been_filled),
        cmocka_unit_test(at_input_judges_only_there),
        cmocka_unit_test(a_quiet_key_is_forgotten_to_the_millisecond),
        cmocka_unit_test(beyond_max_keys_the_oldest_goes_and_resolves),
        cmocka_unit_test(bytes_that_save_did_not_write_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
