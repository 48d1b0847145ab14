// SPDX-License-Identifier: Apache-2.0
/* The missing detector: what its model (tests/models/missing.py) does not see: keys of a table, time that has not
 * begun, keys that go, state that passes to a newer version or through bytes. */
#include "missing_desk.h"

static void a_table_gives_the_keys_of_rows_that_match(void **state)
{
    (void)state;
    tw_missing_plan *p = columns_plan();
    tw_table *t = table_of("name,host,state\n1,a,up\n2,b,down\n3,c,up\n");
    tw_expected *e = tw_expected_new(p, tw_table_rows(t));
    tw_value v;

    assert_int_equal(tw_expected_count(e), 2);
    tw_key key = tw_expected_key(e, 1);
    assert_int_equal(tw_key_values(key.data, key.len, &v, 1), 1);
    assert_int_equal(v.len, 1);
    assert_memory_equal(v.s, "c", 1);
    tw_expected_unref(e);
    tw_table_free(t);
    tw_missing_plan_free(p);
}

static void where_a_row_has_no_such_column_its_key_in_the_table_may_stand(void **state)
{
    (void)state;
    tw_missing_plan *p = columns_plan();
    tw_table *t = table_of("name,state\na,up\nb,down\n");
    tw_expected *e = tw_expected_new(p, tw_table_rows(t));

    assert_int_equal(tw_expected_count(e), 0);
    assert_int_equal(tw_expected_keyless(e), 1);
    tw_expected_unref(e);
    p->may_be_row_key = true;
    e = tw_expected_new(p, tw_table_rows(t));
    assert_int_equal(tw_expected_count(e), 1);
    tw_expected_unref(e);
    tw_table_free(t);
    tw_missing_plan_free(p);
}

static void keys_of_a_table_that_never_came_count_from_the_start(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a b");
    assert_int_equal(d->det->cls->key_count(d->det), 2);
    advance(d, 10000);
    heard(d, 10200, 'a', 0);
    heard(d, 10300, 'x', 0); /* nobody expects it */
    advance(d, 11500);
    expect_nothing(d);
    advance(d, 11501);
    expect_told(d, "11500 b level ok>crit -");
    advance(d, 11701);
    expect_told(d, "11700 a level ok>crit -");
    heard(d, 12000, 'b', 0);
    expect_told(d, "12000 b level crit>ok -");
    expect_nothing(d);
    assert_int_equal(d->det->cls->key_count(d->det), 2);
    desk_free(d);
}

static void a_new_list_ends_what_is_gone_and_counts_what_is_new_from_now(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a b");
    advance(d, 10000);
    heard(d, 10000, 'b', 0);
    heard(d, 11000, 'b', 0);
    advance(d, 11600);
    expect_told(d, "11500 a level ok>crit -");
    expect_keys(d, "b c");
    expect_told(d, "11600 a level crit>ok - not expected");
    advance(d, 12501);
    expect_told(d, "12500 b level ok>crit -");
    advance(d, 13101);
    expect_told(d, "13100 c level ok>crit -");
    heard(d, 13200, 'a', 0);
    expect_nothing(d);
    desk_free(d);
}

static void what_was_stopped_is_off_the_list_until_it_is_heard(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a");
    advance(d, 10000);
    heard(d, 10100, 'a', 1);
    advance(d, 90000000);
    expect_nothing(d);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    heard(d, 90000000, 'a', 0);
    advance(d, 90001501);
    expect_told(d, "90001500 a level ok>crit -");
    heard(d, 90002000, 'a', 1);
    expect_told(d, "90002000 a level crit>ok - stopped");
    desk_free(d);
}

static void without_any_event_the_wall_counts_until_the_first(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a b");
    d->det->cls->wait(d->det, 1000000);
    d->det->cls->wait(d->det, 1001500);
    expect_nothing(d);
    assert_true(d->det->cls->next_deadline(d->det) == INT64_MIN);
    d->det->cls->wait(d->det, 1001501);
    expect_told(d, "1001500 a level ok>crit -");
    expect_told(d, "1001500 b level ok>crit -");
    heard(d, 5000, 'a', 0); /* from long ago: there is a backlog */
    expect_told(d, "5000 a level crit>ok -");
    advance(d, 6501);
    expect_told(d, "6500 a level ok>crit -"); /* b is still what it was */
    expect_nothing(d);
    desk_free(d);
}

static void keys_that_were_not_told_yet_count_anew_from_the_first_event(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a b");
    d->det->cls->wait(d->det, 1000000);
    heard(d, 5000, 'a', 0);
    advance(d, 6500);
    expect_nothing(d);
    advance(d, 6501);
    expect_told(d, "6500 a level ok>crit -");
    expect_told(d, "6500 b level ok>crit -");
    desk_free(d);
}

/* ---- keys that go, and state that passes on ---- */

static void beyond_max_keys_the_oldest_learned_key_goes(void **state)
{
    (void)state;
    desk *d = desk_new(missing_rule(1000, 0, 1000000));
    d->rule->max_keys = 1;
    event_at(d, 1000, "a", 0);
    advance(d, 2001);
    expect_line(d, "2000 a level ok>crit -");
    event_at(d, 3000, "b", 0);
    expect_line(d, "3000 a level crit>ok - evicted");
    assert_int_equal(d->evicted.value, 1);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    assert_int_equal(d->keys.value, 1);
    desk_free(d);
}

static void a_stopped_key_that_was_learned_is_forgotten(void **state)
{
    (void)state;
    desk *d = desk_new(missing_rule(1000, 0, 1000000));
    event_at(d, 1000, "a", 0);
    event_only(d, 1500, "a", 1, tw_value_absent(), -1);
    event_only(d, 1400, "a", 0, tw_value_absent(), -1);
    assert_int_equal(d->late.value, 1);
    advance(d, 3601500);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    advance(d, 3601501);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    expect_nothing(d);
    desk_free(d);
}

static void the_clock_of_a_wall_says_by_when(void **state)
{
    (void)state;
    tw_rule *r = missing_rule(0, 0, INT64_C(864000000));
    tw_missing_plan *p = plan_of(r);
    int64_t day = 86400000,
            summer = INT64_C(1711753200000); /* 30 March 2024, 00:00 in Berlin */
    p->is_daily = true;
    p->daytime_ms = 3 * 3600000;
    p->zone = tw_zone_open("Europe/Berlin", NULL);
    desk *d = desk_new(r);
    event_at(d, summer + 3 * 3600000, "a", 0); /* in time for the 30th */
    advance(d, summer + day + 2 * 3600000);    /* the 31st has its 03:00 an hour early */
    expect_nothing(d);
    advance(d, summer + day + 2 * 3600000 + 1);
    expect_line(d, "1711846800000 a level ok>crit -");
    desk_free(d);
}

static bool longer_than_two_seconds(const tw_result *r, int fn)
{
    (void)fn;
    return r->values[0] > 2;
}

static void when_may_refuse_to_tell(void **state)
{
    (void)state;
    desk *d = desk_new(missing_rule(1000, 0, 1000000));
    d->predicate = longer_than_two_seconds;
    d->rule->incident.set = true;
    d->rule->incident.when_fn = 1;
    event_at(d, 1000, "a", 0);
    advance(d, 5000);
    event_at(d, 6000, "a", 0);
    expect_nothing(d);
    plan_of(d->rule)->every_ms = 3000;
    event_at(d, 7000, "a", 0);
    advance(d, 10001);
    expect_line(d, "10000 a level ok>crit -");
    desk_free(d);
}

/* The same story whole, with a restart at each place, and with a newer version at each place. */
static void run_story(desk *d, int at, bool reload)
{
    for (int step = 0; step < 12; step++) {
        int64_t now = 10000 + step * 700;
        if (step == at && reload) {
            desk_reload(d, table_rule(800));
        } else if (step == at) {
            through_whole_bytes(d);
        }
        if (step == at) {
            expect_keys(d, "a b c");
        }
        if (step < 4 || step > 8) {
            heard(d, now, 'a', 0);
        }
        heard(d, now, 'b', step == 1 ? 0 : 1);
        advance(d, now + 650);
    }
}

static void a_restart_or_a_reload_anywhere_changes_nothing(void **state)
{
    (void)state;
    desk *whole = desk_new(table_rule(800));
    expect_keys(whole, "a b c");
    run_story(whole, -1, false);
    assert_int_equal(whole->line_count, 3);
    for (int at = 0; at < 24; at++) {
        desk *d = desk_new(table_rule(800));
        expect_keys(d, "a b c");
        run_story(d, at / 2, at % 2 == 1);
        assert_int_equal(d->line_count, whole->line_count);
        for (uint32_t n = 0; n < d->line_count; n++) {
            assert_string_equal(d->lines[n], whole->lines[n]);
        }
        desk_free(d);
    }
    desk_free(whole);
}

static void a_reload_with_a_longer_every_does_not_take_back_what_was_told(void **state)
{
    (void)state;
    desk *d = desk_new(missing_rule(1000, 0, 1000000));
    event_at(d, 1000, "a", 0);
    event_at(d, 1500, "b", 0);
    advance(d, 2100);
    expect_line(d, "2000 a level ok>crit -");
    desk_reload(d, missing_rule(3000, 0, 1000000));
    advance(d, 4500);
    expect_nothing(d);
    advance(d, 4501);
    expect_line(d, "4500 b level ok>crit -");
    event_at(d, 4600, "a", 0);
    expect_line(d, "4600 a level crit>ok -");
    desk_free(d);
}

static void a_shorter_every_is_due_by_the_clock_of_the_reload(void **state)
{
    (void)state;
    desk *d = desk_new(missing_rule(60000, 0, 1000000));
    event_at(d, 1000, "a", 0);
    advance(d, 5000);
    d->clock_ms = 6000;
    desk_reload(d, missing_rule(2000, 0, 1000000));
    advance(d, 6001);
    expect_line(d, "6000 a level ok>crit -");
    desk_free(d);
}

static void an_edit_of_what_is_missing_says_what_is_kept(void **state)
{
    (void)state;
    assert_int_equal(
        desk_fate(missing_rule(2000, 500, 90000), missing_rule(9000, 0, 90000)),
        TW_FATE_KEPT);
    tw_edit edit = desk_edit(missing_rule(2000, 0, 90000), missing_rule(2000, 0, 60000));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 30000);
    assert_int_equal(
        desk_fate(missing_rule(2000, 0, 60000), missing_rule(2000, 0, 90000)),
        TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(table_rule(0), missing_rule(1000, 500, 60000)),
                     TW_FATE_PARTLY);
    assert_int_equal(desk_fate(missing_rule(1000, 500, 60000), table_rule(0)),
                     TW_FATE_PARTLY);
    tw_rule *other = missing_rule(2000, 0, 90000);
    plan_of(other)->input = 1;
    assert_int_equal(desk_fate(other, missing_rule(2000, 0, 90000)), TW_FATE_COLD);
}

static void a_rule_that_learns_from_now_on_keeps_what_has_come(void **state)
{
    (void)state;
    desk *d = desk_new(table_rule(0));
    expect_keys(d, "a b");
    heard(d, 10000, 'a', 0);
    advance(d, 11501);
    expect_told(d, "11500 a level ok>crit -");
    expect_told(d, "11500 b level ok>crit -");
    desk_reload(d, missing_rule(1000, 500, 5000));
    expect_told(d, "11501 b level crit>ok - not expected");
    advance(d, 15001);
    expect_told(d, "15000 a level crit>ok - forgotten");
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    desk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shorter_every_is_due_by_the_clock_of_the_reload),
        cmocka_unit_test(an_edit_of_what_is_missing_says_what_is_kept),
        cmocka_unit_test(a_table_gives_the_keys_of_rows_that_match),
        cmocka_unit_test(where_a_row_has_no_such_column_its_key_in_the_table_may_stand),
        cmocka_unit_test(keys_of_a_table_that_never_came_count_from_the_start),
        cmocka_unit_test(a_new_list_ends_what_is_gone_and_counts_what_is_new_from_now),
        cmocka_unit_test(what_was_stopped_is_off_the_list_until_it_is_heard),
        cmocka_unit_test(without_any_event_the_wall_counts_until_the_first),
        cmocka_unit_test(keys_that_were_not_told_yet_count_anew_from_the_first_event),
        cmocka_unit_test(beyond_max_keys_the_oldest_learned_key_goes),
        cmocka_unit_test(a_stopped_key_that_was_learned_is_forgotten),
        cmocka_unit_test(the_clock_of_a_wall_says_by_when),
        cmocka_unit_test(when_may_refuse_to_tell),
        cmocka_unit_test(a_restart_or_a_reload_anywhere_changes_nothing),
        cmocka_unit_test(a_reload_with_a_longer_every_does_not_take_back_what_was_told),
        cmocka_unit_test(a_rule_that_learns_from_now_on_keeps_what_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
