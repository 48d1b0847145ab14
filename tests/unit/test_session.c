// SPDX-License-Identifier: Apache-2.0
/* The session detector: what its model (tests/models/session.py) does not see: keys that go, state that
 * passes to a newer version or through bytes. */
#include <stdlib.h>

#include "detecting.h"
#include "flow/plan_session.h"

/* A sum and a stddev of input a's value; `kind` splits where asked for. */
static tw_rule *session_rule(int64_t gap_ms, int64_t max_ms, tw_session_emit emit,
                             bool split)
{
    tw_rule *r = desk_rule();
    tw_session_plan *p = tw_alloc(sizeof *p);

    r->detector = TW_DETECT_SESSION;
    r->detail = p;
    r->detail_free = tw_session_plan_free;
    r->fact_count = TW_SESSION_FACTS;
    r->facts = tw_calloc(TW_SESSION_FACTS, sizeof *r->facts);
    r->facts[0] = tw_strdup("closed");
    value_is_agg(r, add_agg(r, TW_AGG_SUM, 0));
    add_value(r, "spread",
              &(tw_expr_node){.op = TW_EXPR_AGG, .agg = add_agg(r, TW_AGG_STDDEV, 0)}, 1);
    add_agg(r, TW_AGG_DISTINCT, 0);
    add_value(r, "different",
              &(tw_expr_node){.op = TW_EXPR_AGG, .agg = add_agg(r, TW_AGG_QUANTILE, 0)},
              1);
    r->level.aggs[r->level.agg_count - 1].param = 0.9;
    *p = (tw_session_plan){
        .gap_ms = gap_ms, .max_ms = max_ms, .where_fn = TW_NO_FN, .emit = emit};
    if (split) {
        p->split_slots = tw_calloc(2, sizeof *p->split_slots);
        p->split_slots[0] = p->split_slots[1] = SLOT_KIND;
    }
    return r;
}

static tw_session_plan *plan_of(tw_rule *r)
{
    return r->detail;
}

static void a_session_is_told_when_the_gap_has_passed(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(1000, 0, TW_SESSION_CLOSE, false));
    event_at(d, 1000, "k", 1);
    event_at(d, 2000, "k", 2); /* exactly a gap later: still of it */
    event_at(d, 2500, "k", 3);
    advance(d, 3500);
    expect_nothing(d);
    advance(d, 3501);
    expect_line(d, "3500 k occurred ok>crit 6");
    assert_int_equal(d->last.start_ms, 1000);
    assert_int_equal(d->last.stop_ms, 2500);
    assert_int_equal(d->last.newest.offset, 2);
    assert_int_equal(d->last.evidence_count, 2);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    advance(d, 5501); /* nothing that comes can have belonged to it */
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    assert_int_equal(d->keys.value, 0);
    expect_nothing(d);
    desk_free(d);
}

static void an_event_of_a_session_that_is_over_is_late(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(1000, 0, TW_SESSION_CLOSE, false));
    event_at(d, 1000, "k", 1);
    advance(d, 2400);
    expect_line(d, "2000 k occurred ok>crit 1");
    event_only(d, 1900, "k", 0, tw_value_double(1), -1);
    assert_int_equal(d->late.value, 1);
    event_only(d, 1300, "j", 0, tw_value_double(1), -1); /* over before it came */
    assert_int_equal(d->late.value, 2);
    event_only(d, 1400, "j", 0, tw_value_double(5), -1);
    assert_int_equal(d->late.value, 2);
    advance(d, 2401);
    expect_line(d, "2400 j occurred ok>crit 5");
    desk_free(d);
}

static bool more_than_four(const tw_result *r, int fn)
{
    assert_int_equal(fn, 7);
    assert_string_equal(r->names[3], "count");
    assert_string_equal(r->names[4], "start");
    assert_string_equal(r->names[5], "stop");
    return r->values[0] > 4;
}

static void where_is_asked_at_each_event_for_the_first_and_else_at_the_close(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        tw_rule *r =
            session_rule(1000, 0, first ? TW_SESSION_FIRST : TW_SESSION_CLOSE, false);
        plan_of(r)->where_fn = 7;
        desk *d = desk_new(r);
        d->predicate = more_than_four;
        event_at(d, 1000, "k", 3);
        event_at(d, 1500, "k", 3);
        if (first) {
            expect_line(d, "1500 k occurred ok>crit 6");
        }
        event_at(d, 1600, "k", 3);
        advance(d, 9000);
        if (!first) {
            expect_line(d, "2600 k occurred ok>crit 9");
        }
        event_at(d, 9000, "k", 4);
        advance(d, 90000);
        expect_nothing(d);
        desk_free(d);
    }
}

static void what_an_evicted_key_had_open_ends(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(1000, 0, TW_SESSION_FIRST, false));
    d->rule->max_keys = 1;
    event_at(d, 1000, "k", 1);
    expect_line(d, "1000 k occurred ok>crit 1");
    event_at(d, 1100, "j", 1);
    expect_line(d, "1100 k resolve ok>ok - evicted");
    expect_line(d, "1100 j occurred ok>crit 1");
    assert_int_equal(d->evicted.value, 1);
    desk_free(d);
}

static void a_newer_version_goes_on_with_its_own_gap(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(60000, 0, TW_SESSION_CLOSE, false));
    event_at(d, 1000, "k", 1);
    advance(d, 5000);
    desk_reload(d, session_rule(2000, 0, TW_SESSION_CLOSE, false));
    advance(d, 5001);
    expect_line(d, "5000 k occurred ok>crit 1");
    event_at(d, 6000, "k", 2);
    desk_reload(d, session_rule(9000, 3000, TW_SESSION_CLOSE, false));
    event_at(d, 8000, "k", 3);
    advance(d, 9001);
    expect_line(d, "9000 k occurred ok>crit 5");
    desk_free(d);
}

/* The sum, what is measured otherwise, and a highest value that is new. */
static tw_rule *measured_otherwise(int64_t gap_ms)
{
    tw_rule *r = session_rule(gap_ms, 0, TW_SESSION_CLOSE, false);
    tw_level_plan *p = &r->level;

    p->aggs[1] = p->aggs[0]; /* the sum has moved behind a maximum */
    p->aggs[0].kind = TW_AGG_MAX;
    p->values[0].nodes[0].agg = 1;
    p->values[1].nodes[0].agg = 0;
    p->agg_count = 2;
    p->value_count = 2;
    tw_free(p->value_names[2]);
    tw_free(p->values[2].nodes);
    return r;
}

static void aggregates_of_an_open_session_go_on_in_another_place(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(1000, 0, TW_SESSION_CLOSE, false));
    event_at(d, 1000, "k", 5);
    event_at(d, 1500, "k", 3);
    event_at(d, 1500, "l", 3);
    desk_reload(d, measured_otherwise(1000));
    assert_int_equal(d->det->cls->key_count(d->det), 2);
    event_at(d, 2000, "k", 4);
    advance(d, 2501);
    expect_line(d, "2500 l occurred ok>crit 3");
    assert_false(d->last.result.has[1]);
    advance(d, 3001);
    expect_line(d, "3000 k occurred ok>crit 12");
    assert_true(d->last.result.values[1] > 3.5 && d->last.result.values[1] < 4.5);
    desk_free(d);
}

static void a_shorter_gap_ends_sessions_by_the_clock_of_the_reload(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(5000, 0, TW_SESSION_CLOSE, false));
    event_at(d, 1000, "k", 1);
    advance(d, 4000);
    d->clock_ms = 4500; /* nothing was due: the operator has not been told */
    desk_reload(d, session_rule(1000, 0, TW_SESSION_CLOSE, false));
    advance(d, 4501);
    expect_line(d, "4500 k occurred ok>crit 1");
    desk_free(d);
}

static void an_edit_of_a_session_says_what_is_kept(void **state)
{
    (void)state;
    tw_edit edit = desk_edit(session_rule(5000, 0, TW_SESSION_CLOSE, false),
                             session_rule(2000, 0, TW_SESSION_CLOSE, false));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 3000);
    assert_int_equal(desk_fate(session_rule(2000, 9000, TW_SESSION_CLOSE, false),
                               session_rule(2000, 0, TW_SESSION_CLOSE, false)),
                     TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(session_rule(2000, 0, TW_SESSION_FIRST, true),
                               session_rule(2000, 0, TW_SESSION_CLOSE, false)),
                     TW_FATE_KEPT);
    edit = desk_edit(measured_otherwise(1000),
                     session_rule(1000, 0, TW_SESSION_CLOSE, false));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 0);
}

static void feed_at_random(desk *d, unsigned seed, bool restarts)
{
    static const char *const keys[] = {"a", "b", "c"};
    int64_t at_ms = 10000;

    srand(seed);
    for (int n = 0; n < 80; n++) {
        at_ms += rand() % 4 * 300;
        int64_t time_ms = at_ms - rand() % 3 * 400;
        const char *key = keys[rand() % 3];
        int kind = rand() % 4 - 1;
        double value = rand() % 7;
        uint32_t input = rand() % 4 == 0;
        if (at_ms > d->clock_ms) {
            advance(d, at_ms);
        }
        event_only(d, time_ms, key, input, tw_value_double(value), kind);
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
        tw_rule *r = session_rule(1000, seed % 2 ? 2500 : 0,
                                  seed % 4 == 3 ? TW_SESSION_FIRST : TW_SESSION_CLOSE,
                                  seed % 3 == 0);
        desk *d = desk_new(r), *e = desk_new(tw_rule_ref(r));
        d->predicate = e->predicate = more_than_four;
        plan_of(r)->where_fn = seed % 5 == 0 ? 7 : TW_NO_FN;
        feed_at_random(d, seed, false);
        feed_at_random(e, seed, true);
        assert_int_not_equal(d->line_count, 0);
        while (d->line_read < d->line_count) {
            expect_line(e, d->lines[d->line_read++]);
        }
        expect_nothing(e);
        assert_int_equal(d->late.value, e->late.value);
        assert_int_equal(e->det->cls->key_count(e->det), 0);
        desk_free(d);
        desk_free(e);
    }
}

static void bytes_that_save_did_not_write_are_refused(void **state)
{
    (void)state;
    desk *d = desk_new(session_rule(1000, 0, TW_SESSION_CLOSE, true));
    tw_buf bytes;

    event_at(d, 1000, "k", 1);
    event_at(d, 1200, "j", 1);
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
        cmocka_unit_test(aggregates_of_an_open_session_go_on_in_another_place),
        cmocka_unit_test(a_shorter_gap_ends_sessions_by_the_clock_of_the_reload),
        cmocka_unit_test(an_edit_of_a_session_says_what_is_kept),
        cmocka_unit_test(a_session_is_told_when_the_gap_has_passed),
        cmocka_unit_test(an_event_of_a_session_that_is_over_is_late),
        cmocka_unit_test(
            where_is_asked_at_each_event_for_the_first_and_else_at_the_close),
        cmocka_unit_test(what_an_evicted_key_had_open_ends),
        cmocka_unit_test(a_newer_version_goes_on_with_its_own_gap),
        cmocka_unit_test(a_restart_anywhere_changes_nothing),
        cmocka_unit_test(bytes_that_save_did_not_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
