// SPDX-License-Identifier: Apache-2.0
/* What a level remembers when its rule is edited: windows, aggregates, holds. */
#include "level_edit.h"

enum { MIN = 60000 };

/* ---- the window -------------------------------------------------------------------- */

static void a_longer_window_keeps_what_it_holds(void **state)
{
    (void)state;
    desk *d = desk_new(sliding(1000, 3));
    event_at(d, 5000, "k", 0);
    event_at(d, 5400, "k", 0);
    desk_reload(d, sliding(2000, 3));
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    event_at(d, 6900, "k", 0); /* the first two would have left by now */
    expect_line(d, "6900 k level ok>crit 3");
    advance(d, 7001);
    expect_line(d, "7000 k level crit>ok 2");
    desk_free(d);
}

static void a_shorter_window_is_judged_at_once_by_the_clock(void **state)
{
    (void)state;
    desk *d = desk_new(sliding(1000, 2));
    event_at(d, 5300, "k", 0); /* exactly as old as the new window is long */
    event_at(d, 5400, "k", 0);
    expect_line(d, "5400 k level ok>crit 2");
    advance(d, 5800);
    desk_reload(d, sliding(500, 2));
    expect_nothing(d);
    advance(d, 5801);
    expect_line(d, "5800 k level crit>ok 1");
    advance(d, 9000);
    expect_nothing(d);
    desk_free(d);
}

static void what_an_edit_makes_due_survives_a_restart(void **state)
{
    (void)state;
    desk *d = desk_new(sliding(1000, 2));
    event_at(d, 5000, "k", 0);
    event_at(d, 5400, "k", 0);
    expect_line(d, "5400 k level ok>crit 2");
    advance(d, 5800);
    desk_reload(d, sliding(500, 2));
    tw_detect_env env = desk_env(d);
    desk_restart(d, &env);
    advance(d, 5900);
    expect_line(d, "5800 k level crit>ok 1");
    desk_free(d);
}

static void a_full_window_is_full_again_only_when_the_longer_one_is(void **state)
{
    (void)state;
    tw_rule *before = sliding(1000, 1), *after = sliding(3000, 2);
    before->level.window.full = after->level.window.full = true;
    desk *d = desk_new(before);
    for (int64_t at = 1000; at <= 5000; at += 500) {
        event_at(d, at, "k", 0);
    }
    expect_line(d, "2000 k level ok>crit 2");
    desk_reload(d, after); /* it knows all since 4000 */
    event_at(d, 6500, "k", 0);
    expect_nothing(d);
    advance(d, 8001);
    expect_line(d, "8000 k level crit>ok 1");
    desk_free(d);
}

static void a_count_window_keeps_its_newest_events(void **state)
{
    (void)state;
    desk *d = desk_new(last_of(4, 100));
    for (int n = 1; n <= 4; n++) {
        event_at(d, 1000 * n, "k", n); /* 1 2 3 4 */
    }
    desk_reload(d, last_of(2, 7)); /* 3 4 */
    advance(d, 4001);
    expect_nothing(d); /* no level was there that the edit could end */
    event_at(d, 5000, "k", 5);
    expect_line(d, "5000 k level ok>crit 9");
    desk_reload(d, last_of(3, 8)); /* 4 5 . */
    event_at(d, 6000, "k", 0);
    expect_nothing(d); /* 9 is still 8 or more */
    event_at(d, 7000, "k", 0);
    expect_line(d, "7000 k level crit>ok 5");
    desk_free(d);
}

static void steps_of_a_grid_become_longer_ones(void **state)
{
    (void)state;
    desk *d = desk_new(windowed(TW_WINDOW_TUMBLING, MIN, MIN, 3));
    event_at(d, 5 * MIN + 1000, "k", 0);
    event_at(d, 6 * MIN + 1000, "k", 0);
    advance(d, 6 * MIN + 2000);
    desk_reload(d, windowed(TW_WINDOW_HOPPING, 3 * MIN, 3 * MIN, 3));
    event_at(d, 8 * MIN, "k", 0);
    event_at(d, 8 * MIN + 10, "k", 0);
    advance(d, 9 * MIN + 1);
    expect_line(d, "540000 k level ok>crit 3"); /* the minute of the first is over */
    desk_free(d);
}

static void a_grid_that_does_not_fit_begins_anew_and_levels_stand(void **state)
{
    (void)state;
    desk *d = desk_new(windowed(TW_WINDOW_TUMBLING, 3 * MIN, 3 * MIN, 2));
    event_at(d, 3 * MIN, "k", 0);
    event_at(d, 3 * MIN, "k", 0);
    event_at(d, 6 * MIN + 1000, "k", 0);
    expect_line(d, "360000 k level ok>crit 2");
    advance(d, 7 * MIN + 1000);
    desk_reload(d, windowed(TW_WINDOW_TUMBLING, 2 * MIN, 2 * MIN, 2));
    advance(d, 10 * MIN);
    expect_nothing(d); /* that of minutes 6 and 7 was begun by other edges */
    advance(d, 10 * MIN + 1);
    expect_line(d, "600000 k level crit>ok 0");
    desk_free(d);
}

static void panes_stay_and_leave_by_the_new_span(void **state)
{
    (void)state;
    tw_rule *before = sliding(6400, 300), *after = sliding(12800, 300);
    before->level.window.exact = after->level.window.exact = 8;
    desk *d = desk_new(before);
    for (int n = 0; n < 299; n++) {
        event_at(d, 10000 + n * 10, "k", 0);
    }
    desk_reload(d, after);
    event_at(d, 22000, "k", 0); /* all but those of the first 800 ms have left before */
    expect_line(d, "22000 k level ok>crit 300");
    assert_true(d->last.approx);
    tw_rule *shorter = sliding(9100, 2);
    shorter->level.window.exact = 8;
    desk_reload(d, shorter);
    event_at(d, 22001, "k", 0);
    advance(d, 22500);
    expect_nothing(d);
    advance(d, 40000);
    expect_line(d, "31101 k level crit>ok 0"); /* both are of one pane */
    desk_free(d);
}

/* ---- aggregates -------------------------------------------------------------------- */

static void an_aggregate_that_is_new_has_only_what_came_since(void **state)
{
    (void)state;
    desk *d = desk_new(sliding(5000, 10));
    event_at(d, 1000, "k", 7);
    tw_rule *r = sliding(5000, 10);
    add_agg(r, TW_AGG_SUM, 0);
    tw_expr_node nodes[] = {{.op = TW_EXPR_AGG, .agg = 0},
                            {.op = TW_EXPR_AGG, .agg = 1},
                            {.op = TW_EXPR_ADD, .left = 0, .right = 1}};
    tw_free(r->level.values[0].nodes);
    tw_free(r->level.value_names[0]);
    r->level.value_count = 0;
    add_value(r, "value", nodes, 3);
    desk_reload(d, r);
    event_at(d, 2000, "k", 7);
    expect_nothing(d); /* 2 events, a sum of 7 */
    event_at(d, 3000, "k", 0);
    expect_line(d, "3000 k level ok>crit 10");
    desk_free(d);
}

/* ---- holds ------------------------------------------------------------------------- */

static tw_rule *held(int64_t hold_ms)
{
    tw_rule *r = sliding(100000, 1);

    level_of(r, TW_LEVEL_CRIT)->hold_ms = hold_ms;
    return r;
}

static void a_shorter_hold_counts_from_its_start_and_fires_by_the_clock(void **state)
{
    (void)state;
    desk *d = desk_new(held(10000));
    event_at(d, 1000, "k", 0);
    expect_line(d, "1000 k pending ok>crit 1");
    advance(d, 5000);
    desk_reload(d, held(2000));
    advance(d, 5001);
    expect_line(d, "5000 k level ok>crit 1");
    desk_reload(d, held(90000)); /* takes nothing back */
    event_at(d, 6000, "k", 0);
    advance(d, 7000);
    expect_nothing(d);
    desk_free(d);
}

/* ---- what is said of it ------------------------------------------------------------ */

static void an_edit_says_what_becomes_of_the_window(void **state)
{
    (void)state;
    tw_edit edit = desk_edit(sliding(3000, 1), sliding(1000, 1));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 2000);
    assert_int_equal(desk_fate(sliding(1000, 1), sliding(3000, 1)), TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(held(5), held(9)), TW_FATE_KEPT);
    assert_int_equal(desk_fate(last_of(9, 1), last_of(5, 1)), TW_FATE_WARMING);
    assert_int_equal(desk_fate(last_of(5, 1), last_of(9, 1)), TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(last_of(5, 1), sliding(1000, 1)), TW_FATE_COLD);
    assert_int_equal(desk_fate(hops_otherwise(true), hops_otherwise(false)),
                     TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(hops_otherwise(false), hops_otherwise(true)),
                     TW_FATE_PARTLY);
    tw_rule *other = simple_rule(TW_AGG_MAX, TW_WINDOW_SLIDING, 1000, 0);
    assert_int_equal(desk_fate(other, sliding(1000, 1)), TW_FATE_COLD);
}

static void a_rule_warms_until_it_looks_back_on_nothing_but_what_it_saw(void **state)
{
    (void)state;
    tw_edit longer = {.warming_ms = 2000}, shorter = {.warming_ms = -1500}, none = {0};
    assert_int_equal(tw_edit_warming_until(&longer, 0, 10000), 12000);
    assert_int_equal(tw_edit_warming_until(&longer, 11000, 10000), 13000);
    assert_int_equal(tw_edit_warming_until(&none, 11000, 10000), 11000);
    assert_int_equal(tw_edit_warming_until(&shorter, 11000, 10000), 0);
    assert_int_equal(tw_edit_warming_until(&none, 9000, 10000), 0);
    assert_int_equal(tw_edit_warming_until(&longer, 0, TW_TIME_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_window_keeps_what_it_holds),
        cmocka_unit_test(a_shorter_window_is_judged_at_once_by_the_clock),
        cmocka_unit_test(what_an_edit_makes_due_survives_a_restart),
        cmocka_unit_test(a_full_window_is_full_again_only_when_the_longer_one_is),
        cmocka_unit_test(a_count_window_keeps_its_newest_events),
        cmocka_unit_test(steps_of_a_grid_become_longer_ones),
        cmocka_unit_test(a_grid_that_does_not_fit_begins_anew_and_levels_stand),
        cmocka_unit_test(panes_stay_and_leave_by_the_new_span),
        cmocka_unit_test(an_aggregate_that_is_new_has_only_what_came_since),
        cmocka_unit_test(a_shorter_hold_counts_from_its_start_and_fires_by_the_clock),
        cmocka_unit_test(an_edit_says_what_becomes_of_the_window),
        cmocka_unit_test(a_rule_warms_until_it_looks_back_on_nothing_but_what_it_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
