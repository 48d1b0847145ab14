// SPDX-License-Identifier: Apache-2.0
/* The change detector: what its model (tests/models/change.py) does not see: keys that go, state that
 * passes to a newer version or through bytes. */
#include <stdlib.h>

#include "detecting.h"
#include "flow/plan_change.h"

static tw_value text(const char *s)
{
    return tw_value_string(s, strlen(s));
}

static tw_match_table *is_text(const char *s)
{
    tw_value v = text(s);
    tw_match m = {.op = TW_MATCH_EQ, .slot = SLOT_VALUE, .value_count = 1, .values = &v};
    tw_match_table *t = tw_match_table_new();

    assert_int_equal(tw_match_table_add(t, &m, NULL), 0);
    return t;
}

/* Field `value` of input a, and `kind` with it when there are two. */
static tw_rule *change_rule(uint32_t fields, const char *to, int64_t hold_ms)
{
    tw_rule *r = desk_rule();
    tw_change_plan *p = tw_alloc(sizeof *p);

    r->detector = TW_DETECT_CHANGE;
    r->detail = p;
    r->detail_free = tw_change_plan_free;
    r->fact_count = TW_CHANGE_FACTS;
    r->facts = tw_calloc(TW_CHANGE_FACTS, sizeof *r->facts);
    r->facts[0] = tw_strdup("from");
    r->facts[1] = tw_strdup("to");
    r->facts[2] = tw_strdup("field");
    p->count = fields;
    p->names[0] = tw_strdup("value");
    p->input_count = r->input_count;
    p->slots = tw_calloc(r->input_count + 1, sizeof *p->slots);
    p->slots[0] = tw_calloc(TW_MAX_CHANGE_FIELDS, sizeof **p->slots);
    p->slots[0][0] = p->side_slot = SLOT_VALUE;
    if (fields > 1) {
        p->names[1] = tw_strdup("kind");
        p->slots[0][1] = SLOT_KIND;
    }
    p->to = to ? is_text(to) : NULL;
    p->hold_ms = hold_ms;
    return r;
}

static void says(desk *d, int64_t at_ms, const char *key, const char *value)
{
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    event_only(d, at_ms, key, 0, text(value), -1);
}

static void each_change_is_an_occurrence_and_the_first_value_is_none(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, NULL, 0));
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "up");
    expect_nothing(d);
    says(d, 3000, "k", "down");
    expect_line(d, "3000 k occurred ok>crit -");
    assert_int_equal(d->last.newest.offset, 2);
    says(d, 3500, "j", "down");
    event_only(d, 4000, "k", 0, tw_value_absent(), -1);
    event_only(d, 4000, "k", 1, text("up"), -1); /* another input */
    expect_nothing(d);
    desk_free(d);
}

static void with_to_it_lasts_until_the_field_leaves(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, "down", 1000));
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "down");
    expect_line(d, "2000 k pending ok>crit -");
    advance(d, 3000);
    expect_nothing(d);
    advance(d, 3001);
    expect_line(d, "3000 k level ok>crit -");
    assert_int_equal(d->last.start_ms, 2000);
    advance(d, 90000000); /* what fires is not forgotten */
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    says(d, 90000000, "k", "up");
    expect_line(d, "90000000 k level crit>ok -");
    desk_free(d);
}

static void a_quiet_key_is_forgotten_and_its_next_value_is_the_first(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, NULL, 0));
    d->rule->incident.resolve_after_ms = 0;
    says(d, 0, "k", "up");
    advance(d, 3600000);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    advance(d, 3600001);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    assert_int_equal(d->keys.value, 0);
    says(d, 3600001, "k", "down");
    expect_nothing(d);
    desk_free(d);
}

static void an_event_older_than_the_newest_of_its_key_is_late(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, NULL, 0));
    says(d, 5000, "k", "up");
    event_only(d, 4999, "k", 0, text("down"), -1);
    expect_nothing(d);
    assert_int_equal(d->late.value, 1);
    event_only(d, 4000, "j", 0, text("down"), -1); /* the first of its key is not */
    event_only(d, 5000, "k", 0, text("down"), -1);
    expect_line(d, "5000 k occurred ok>crit -");
    assert_int_equal(d->late.value, 1);
    desk_free(d);
}

static void what_an_evicted_key_had_open_ends(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, "down", 0));
    d->rule->max_keys = 1;
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "down");
    expect_line(d, "2000 k level ok>crit -");
    says(d, 3000, "j", "up");
    expect_line(d, "3000 k level crit>ok - evicted");
    assert_int_equal(d->evicted.value, 1);
    desk_free(d);

    d = desk_new(change_rule(1, NULL, 0));
    d->rule->max_keys = 1;
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "down");
    expect_line(d, "2000 k occurred ok>crit -");
    says(d, 3000, "j", "up");
    expect_line(d, "3000 k resolve ok>ok - evicted");
    says(d, 4000, "i", "up");
    expect_nothing(d);
    desk_free(d);
}

static void
a_newer_version_goes_on_and_its_hold_counts_from_the_stored_start(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, "down", 60000));
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "down");
    expect_line(d, "2000 k pending ok>crit -");
    desk_reload(d, change_rule(1, "down", 5000));
    advance(d, 7001);
    expect_line(d, "7000 k level ok>crit -");
    desk_reload(d, change_rule(1, "down", 60000)); /* does not take back what fires */
    says(d, 8000, "k", "up");
    expect_line(d, "8000 k level crit>ok -");
    desk_free(d);
}

static void a_field_that_is_added_leaves_the_others_as_they_are(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, NULL, 0));
    says(d, 1000, "k", "up");
    desk_reload(d, change_rule(2, NULL, 0));
    event_only(d, 2000, "k", 0, text("up"), 7); /* the first value of kind */
    expect_nothing(d);
    event_only(d, 2100, "k", 0, text("down"), 7);
    expect_line(d, "2100 k occurred ok>crit -");
    desk_reload(d, change_rule(1, NULL, 0));
    event_only(d, 2200, "k", 0, text("down"), 8);
    expect_nothing(d);
    says(d, 2300, "k", "up");
    expect_line(d, "2300 k occurred ok>crit -");
    desk_free(d);
}

static void what_another_to_does_not_take_ends_at_the_reload(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(1, "down", 0));
    says(d, 1000, "k", "up");
    says(d, 2000, "k", "down");
    expect_line(d, "2000 k level ok>crit -");
    d->clock_ms = 2500;
    desk_reload(d, change_rule(2, "down", 0));
    expect_nothing(d);
    desk_reload(d, change_rule(2, "lost", 0));
    expect_line(d, "2500 k level crit>ok - rule changed");
    says(d, 3000, "k", "lost");
    expect_line(d, "3000 k level ok>crit -");
    desk_free(d);
}

static void an_edit_of_a_change_says_what_is_kept(void **state)
{
    (void)state;
    assert_int_equal(desk_fate(change_rule(2, NULL, 0), change_rule(1, NULL, 0)),
                     TW_FATE_WARMING);
    assert_int_equal(desk_fate(change_rule(1, NULL, 0), change_rule(2, NULL, 0)),
                     TW_FATE_KEPT);
    assert_int_equal(desk_fate(change_rule(1, "a", 5), change_rule(1, "b", 9)),
                     TW_FATE_KEPT);
    assert_int_equal(desk_fate(change_rule(1, "a", 0), change_rule(1, NULL, 0)),
                     TW_FATE_COLD);
    tw_rule *other = change_rule(1, NULL, 0);
    tw_change_plan *p = other->detail;
    p->slots[1] = p->slots[0];
    p->slots[0] = NULL;
    assert_int_equal(desk_fate(other, change_rule(1, NULL, 0)), TW_FATE_COLD);
}

static void a_long_text_is_no_change_of_itself(void **state)
{
    (void)state;
    char *longer = tw_alloc(10001);
    desk *d = desk_new(change_rule(1, NULL, 0));
    memset(longer, 'x', 10000);
    says(d, 1000, "k", longer);
    says(d, 2000, "k", longer);
    expect_nothing(d);
    longer[10] = 'y';
    says(d, 3000, "k", longer);
    expect_line(d, "3000 k occurred ok>crit -");
    tw_free(longer);
    desk_free(d);
}

static void feed_at_random(desk *d, unsigned seed, bool restarts)
{
    static const char *const values[] = {"up", "down", "idle"};
    static const char *const keys[] = {"a", "b", "c"};
    int64_t at_ms = 1000;

    srand(seed);
    for (int n = 0; n < 60; n++) {
        at_ms += rand() % 3 * 400;
        const char *key = keys[rand() % 3], *value = values[rand() % 3];
        int kind = rand() % 4 - 1;
        if (at_ms > d->clock_ms) {
            advance(d, at_ms);
        }
        event_only(d, at_ms, key, 0, text(value), kind);
        if (restarts) {
            through_bytes(d);
        }
    }
    advance(d, at_ms + 4000000);
}

static void a_restart_anywhere_changes_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        tw_rule *r = change_rule(2, seed % 2 ? "down" : NULL, seed % 3 * 500);
        desk *d = desk_new(r), *e = desk_new(tw_rule_ref(r));
        feed_at_random(d, seed, false);
        feed_at_random(e, seed, true);
        assert_int_not_equal(d->line_count, 0);
        while (d->line_read < d->line_count) {
            expect_line(e, d->lines[d->line_read++]);
        }
        expect_nothing(e);
        assert_int_equal(e->det->cls->key_count(e->det), d->det->cls->key_count(d->det));
        desk_free(d);
        desk_free(e);
    }
}

static void bytes_that_save_did_not_write_are_refused(void **state)
{
    (void)state;
    desk *d = desk_new(change_rule(2, "down", 500));
    tw_buf bytes;

    says(d, 1000, "k", "up");
    says(d, 1200, "k", "down");
    tw_buf_init(&bytes, 4096);
    d->det->cls->save(d->det, &bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        tw_detect_env env = desk_env(d);
        tw_detector *fresh = tw_detector_class_of(d->rule)->new (d->rule, &env, NULL);
        tw_state_in in = tw_state_in_of(bytes.data, n);
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
        cmocka_unit_test(a_field_that_is_added_leaves_the_others_as_they_are),
        cmocka_unit_test(what_another_to_does_not_take_ends_at_the_reload),
        cmocka_unit_test(an_edit_of_a_change_says_what_is_kept),
        cmocka_unit_test(each_change_is_an_occurrence_and_the_first_value_is_none),
        cmocka_unit_test(with_to_it_lasts_until_the_field_leaves),
        cmocka_unit_test(a_quiet_key_is_forgotten_and_its_next_value_is_the_first),
        cmocka_unit_test(an_event_older_than_the_newest_of_its_key_is_late),
        cmocka_unit_test(what_an_evicted_key_had_open_ends),
        cmocka_unit_test(
            a_newer_version_goes_on_and_its_hold_counts_from_the_stored_start),
        cmocka_unit_test(a_long_text_is_no_change_of_itself),
        cmocka_unit_test(a_restart_anywhere_changes_nothing),
        cmocka_unit_test(bytes_that_save_did_not_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
