// SPDX-License-Identifier: Apache-2.0
/* The missing detector and its source as a whole, on one lane and on several. */
#include "missing_desk.h"

/* ---- the source ---- */

static void a_dead_source_is_one_alert_and_keys_get_fresh_time(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a b c");
    heard(d, 10000, 'a', 0);
    heard(d, 10700, 'b', 0);
    advance(d, 11500);
    expect_nothing(d); /* an event at that instant would be in time */
    advance(d, 11501);
    expect_told(d, "11500  level ok>crit -");
    advance(d, 20000);
    expect_nothing(d);
    heard(d, 20000, 'c', 0);
    expect_told(d, "20000  level crit>ok -");
    heard(d, 20700, 'c', 0);
    heard(d, 21400, 'c', 0);
    expect_nothing(d);
    advance(d, 21501);
    expect_told(d, "21500 a level ok>crit -");
    expect_told(d, "21500 b level ok>crit -");
    expect_nothing(d);
    desk_free(d);
}

static void what_was_told_before_the_source_died_stays(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a b");
    for (int64_t at = 10000; at <= 11900; at += 500) {
        heard(d, at, 'b', 0);
    }
    advance(d, 30000);
    expect_told(d, "11500 a level ok>crit -");
    expect_told(d, "12300  level ok>crit -");
    heard(d, 30000, 'a', 0);
    expect_told(d, "30000  level crit>ok -");
    expect_told(d, "30000 a level crit>ok -");
    expect_nothing(d);
    desk_free(d);
}

static void a_gap_is_seen_even_when_the_clock_jumps_over_it(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a b");
    advance(d, 10000);
    heard(d, 10000, 'a', 0);
    d->det->cls->heard(d->det, 20000, 20000,
                       d->clock_ms); /* in a partition that is ahead */
    event_only(d, 20000, "z", 0, tw_value_absent(), -1);
    advance(d, 20100);
    expect_told(d, "10800  level ok>crit -");
    expect_told(d, "20000  level crit>ok -");
    expect_nothing(d);
    desk_free(d);
}

static void other_lanes_say_what_they_heard(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a");
    advance(d, 10000);
    for (int64_t at = 10400; at < 12000; at += 400) {
        d->det->cls->heard(d->det, at, at + 200, d->clock_ms);
    }
    advance(d, 12100);
    expect_told(d, "11500 a level ok>crit -");
    expect_nothing(d);
    advance(d, 13000);
    expect_told(d, "12600  level ok>crit -");
    desk_free(d);
}

static void each_lane_expects_its_own_keys_and_one_tells_of_the_source(void **state)
{
    (void)state;
    uint64_t keys = 0, sources = 0;
    for (uint32_t lane = 0; lane < 4; lane++) {
        desk *d = desk_new(table_rule(800));
        tw_detect_env env = desk_env(d);
        env.lane = lane;
        env.lane_count = 4;
        d->det->cls->free(d->det);
        d->det = tw_detector_class_of(d->rule)->new (d->rule, &env, NULL);
        expect_keys(d, "a b c d e f g h i j");
        keys += d->det->cls->key_count(d->det);
        advance(d, 10000);
        advance(d, 20000);
        sources += d->line_count;
        desk_free(d);
    }
    assert_int_equal(keys, 10);
    assert_int_equal(sources, 1);
}

static void a_longer_guard_bridges_silences_that_the_shorter_one_saw(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a");
    advance(d, 10000);
    d->det->cls->heard(d->det, 10000, 10000,
                       d->clock_ms); /* ahead of the clock, by another lane */
    d->det->cls->heard(d->det, 13000, 13000, d->clock_ms);
    desk_reload(d, table_rule(4000));
    advance(d, 16900);
    for (uint32_t n = 0; n < d->line_count; n++) {
        assert_null(strstr(d->lines[n], "  level"));
    }
    desk_free(d);
}

static void a_new_guard_gives_no_key_more_time(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a");
    heard(d, 10000, 'a', 0);
    advance(d, 11000);
    desk_reload(d, table_rule(800));
    d->det->cls->begin(d->det, 11000, 11000);
    advance(d, 11501);
    expect_told(d, "11500 a level ok>crit -");
    advance(d, 12000);
    expect_told(d, "11800  level ok>crit -");
    expect_nothing(d);
    desk_free(d);
}

static void time_begins_once_with_what_the_streams_have_come_to(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a");
    d->det->cls->heard(d->det, 12000, 12000, TW_TIME_NONE);
    d->det->cls->wait(d->det, 90000); /* no clock yet, but it has been heard */
    d->det->cls->begin(d->det, 5000, 11500);
    d->det->cls->begin(d->det, 6000, 20000);
    advance(d, 13100);
    expect_told(d, "12800  level ok>crit -");
    expect_nothing(d);
    desk_free(d);
}

/* Whether somebody has looked at the key meanwhile or not. */
static void a_guard_that_goes_leaves_keys_what_the_source_cost_them(void **state)
{
    (void)state;
    for (int reloads = 0; reloads < 2; reloads++) {
        desk *d = desk_new(table_rule(800));
        expect_keys(d, "a b");
        heard(d, 10000, 'a', 0);
        advance(d, 12000);
        expect_told(d, "10800  level ok>crit -");
        heard(d, 13000, 'b', 0);
        expect_told(d, "13000  level crit>ok -");
        for (int n = 0; n < reloads; n++) {
            desk_reload(d, table_rule(800));
            advance(d, 13200);
        }
        desk_reload(d, table_rule(0));
        advance(d, 20000);
        expect_told(d, "14500 a level ok>crit -");
        expect_told(d, "14500 b level ok>crit -");
        expect_nothing(d);
        desk_free(d);
    }
}

/* More lateness lets the clock of events be behind what was told already. */
static void what_the_source_did_is_kept_until_it_has_been_told(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(800));
    expect_keys(d, "a");
    heard(d, 10000, 'a', 0);
    d->det->cls->advance(d->det, 10100);
    d->det->cls->heard(d->det, 12000, 12000, 19000); /* the older version's clock */
    d->det->cls->advance(d->det, 10200);
    d->det->cls->advance(d->det, 12001);
    expect_told(d, "19000  level ok>crit -");
    expect_told(d, "19000  level crit>ok -");
    expect_nothing(d);
    desk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_source_is_one_alert_and_keys_get_fresh_time),
        cmocka_unit_test(what_was_told_before_the_source_died_stays),
        cmocka_unit_test(a_gap_is_seen_even_when_the_clock_jumps_over_it),
        cmocka_unit_test(other_lanes_say_what_they_heard),
        cmocka_unit_test(each_lane_expects_its_own_keys_and_one_tells_of_the_source),
        cmocka_unit_test(a_longer_guard_bridges_silences_that_the_shorter_one_saw),
        cmocka_unit_test(a_new_guard_gives_no_key_more_time),
        cmocka_unit_test(time_begins_once_with_what_the_streams_have_come_to),
        cmocka_unit_test(a_guard_that_goes_leaves_keys_what_the_source_cost_them),
        cmocka_unit_test(what_the_source_did_is_kept_until_it_has_been_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
