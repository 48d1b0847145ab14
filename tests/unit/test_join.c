// SPDX-License-Identifier: Apache-2.0
/* The join detector: what its model (tests/models/join.py) does not see: what goes when there is too
 * much, how long it takes, state that passes to a newer version or through bytes. */
#include <stdlib.h>

#include "detecting.h"
#include "flow/plan_join.h"

static tw_join_plan *plan_of(tw_rule *r)
{
    return r->detail;
}

/* Input a is left, b is right; field `value` is kept. */
static tw_rule *join_rule(tw_join_tells tells, int64_t before_ms, int64_t after_ms)
{
    tw_rule *r = desk_rule();
    tw_join_plan *p = tw_alloc(sizeof *p);

    *p = (tw_join_plan){.left = 0,
                        .right = 1,
                        .before_ms = before_ms,
                        .after_ms = after_ms,
                        .where_fn = TW_NO_FN,
                        .tells = tells,
                        .need_left = 1,
                        .need_right = 1,
                        .max = 1000};
    r->detector = TW_DETECT_JOIN;
    r->detail = p;
    r->detail_free = tw_free;
    r->role_count = 2;
    r->roles = tw_calloc(2, sizeof *r->roles);
    r->roles[0].name = tw_strdup("left");
    r->roles[1].name = tw_strdup("right");
    r->kept_count = 1;
    r->kept = tw_calloc(1, sizeof *r->kept);
    r->kept[0] = tw_strdup("value");
    r->kept_slots = tw_calloc(2, sizeof *r->kept_slots);
    r->kept_slots[0] = r->kept_slots[1] = SLOT_VALUE;
    return r;
}

enum { LEFT, RIGHT };

static void comes(desk *d, int64_t at_ms, const char *key, uint32_t side, double value)
{
    event_only(d, at_ms, key, side, tw_value_double(value), -1);
}

static void in_order(desk *d, int64_t at_ms, const char *key, uint32_t side, double value)
{
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    comes(d, at_ms, key, side, value);
}

static uint64_t key_count(const desk *d)
{
    return d->det->cls->key_count(d->det);
}

static double value_of(const tw_value *values)
{
    return values[0].type == TW_DOUBLE ? values[0].d : -1;
}

/* ---- the seen values are lent for the call, so they are looked at there ---- */

typedef struct seen {
    desk *d;
    double left, first, last;
    uint32_t count, evidence;
} seen;

static seen look;

static void see(void *self, const tw_signal *s)
{
    const tw_role_found *l = &s->roles[LEFT], *r = &s->roles[RIGHT];

    look.left = value_of(l->last);
    look.count = r->count;
    look.first = r->count > 0 ? value_of(r->first) : -1;
    look.last = r->count > 0 ? value_of(r->last) : -1;
    look.evidence = s->evidence_count;
    desk_signal(self, s);
}

static desk *seeing_desk(tw_rule *rule)
{
    desk *d = desk_new(rule);
    tw_detect_env env = desk_env(d);

    env.out.signal = see;
    d->det->cls->free(d->det);
    d->det = tw_detector_class_of(rule)->new (rule, &env, NULL);
    return d;
}

static void a_pair_brings_the_fields_of_both_and_both_as_evidence(void **state)
{
    (void)state;
    desk *d = seeing_desk(join_rule(TW_JOIN_EACH, 1000, 1000));
    in_order(d, 5000, "k", LEFT, 1);
    in_order(d, 6000, "k", RIGHT, 2);
    expect_line(d, "6000 k occurred ok>crit -");
    assert_true(look.left == 1 && look.last == 2 && look.evidence == 2);
    assert_int_equal(d->last.newest.offset, 1);
    in_order(d, 6500, "j", LEFT, 3); /* another key */
    in_order(d, 7000, "k", LEFT, 4);
    expect_line(d, "7000 k occurred ok>crit -");
    assert_true(look.left == 4 && look.last == 2);
    expect_nothing(d);
    desk_free(d);
}

static void the_end_of_a_span_brings_the_first_and_the_last(void **state)
{
    (void)state;
    desk *d = seeing_desk(join_rule(TW_JOIN_ON_CLOSE, 1000, 1000));
    in_order(d, 4500, "k", RIGHT, 1);
    in_order(d, 5000, "k", LEFT, 9);
    comes(d, 5300, "k", RIGHT, 3);
    comes(d, 6000, "k", RIGHT, 4); /* the bound is inclusive */
    comes(d, 5100, "k", RIGHT, 2);
    comes(d, 4100, "k", RIGHT, 0.5);
    comes(d, 6001, "k", RIGHT, 5);
    advance(d, 6000);
    expect_nothing(d);
    advance(d, 6001);
    expect_line(d, "6000 k occurred ok>crit -");
    assert_true(look.left == 9 && look.count == 5);
    assert_true(look.first == 0.5 && look.last == 4);
    desk_free(d);
}

static void one_record_that_both_sides_take_is_not_its_own_partner(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_EACH, 1000, 1000));
    in_order(d, 5000, "k", LEFT, 1);
    d->offset--;
    in_order(d, 5000, "k", RIGHT, 1);
    expect_nothing(d);
    in_order(d, 5000, "k", RIGHT, 1);
    expect_line(d, "5000 k occurred ok>crit -");
    expect_nothing(d);
    desk_free(d);
}

static void what_nothing_can_meet_any_more_is_late(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_EACH, 1000, 2000));
    advance(d, 10000);
    comes(d, 7000, "k", RIGHT, 1);
    assert_int_equal(atomic_load(&d->late.value), 0);
    comes(d, 6999, "k", RIGHT, 1);
    assert_int_equal(atomic_load(&d->late.value), 1);
    comes(d, 6999, "k", LEFT, 1);
    assert_int_equal(atomic_load(&d->late.value), 2);
    desk_free(d);

    d = desk_new(join_rule(TW_JOIN_MISSING, 1000, 2000));
    advance(d, 10000);
    comes(d, 7999, "k", LEFT, 1); /* its span has been judged */
    assert_int_equal(atomic_load(&d->late.value), 1);
    comes(d, 8000, "k", LEFT, 1);
    advance(d, 10001);
    expect_line(d, "10000 k occurred ok>crit -");
    desk_free(d);
}

static void a_key_goes_when_nothing_of_it_waits(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_EACH, 1000, 2000));
    in_order(d, 5000, "r", RIGHT, 1);
    in_order(d, 5000, "l", LEFT, 1);
    advance(d, 6000);
    assert_int_equal(key_count(d), 2);
    advance(d, 6001);
    assert_int_equal(key_count(d), 1);
    advance(d, 7001);
    assert_int_equal(key_count(d), 0);
    assert_int_equal(d->det->cls->next_deadline(d->det), INT64_MAX);
    desk_free(d);
}

static void a_key_that_told_something_stays_while_it_is_open(void **state)
{
    (void)state;
    tw_rule *r = join_rule(TW_JOIN_EACH, 0, 1000);
    r->incident.set = true;
    r->incident.resolve_after_ms = 60000;
    desk *d = desk_new(r);
    in_order(d, 5000, "k", LEFT, 1);
    in_order(d, 5500, "k", RIGHT, 1);
    expect_line(d, "5500 k occurred ok>crit -");
    advance(d, 65500);
    assert_int_equal(key_count(d), 1);
    advance(d, 65501);
    assert_int_equal(key_count(d), 0);
    desk_free(d);
}

static void what_an_evicted_key_had_open_ends(void **state)
{
    (void)state;
    tw_rule *r = join_rule(TW_JOIN_EACH, 0, 1000);
    r->incident.set = true;
    r->max_keys = 1;
    desk *d = desk_new(r);
    in_order(d, 5000, "k", LEFT, 1);
    in_order(d, 5500, "k", RIGHT, 1);
    expect_line(d, "5500 k occurred ok>crit -");
    in_order(d, 6000, "j", LEFT, 1);
    expect_line(d, "6000 k resolve ok>ok - evicted");
    assert_int_equal(atomic_load(&d->evicted.value), 1);
    assert_int_equal(key_count(d), 1);
    desk_free(d);
}

static void of_a_side_that_is_full_the_oldest_goes_and_is_counted(void **state)
{
    (void)state;
    tw_rule *r = join_rule(TW_JOIN_EACH, 0, 10000);
    tw_counter dropped = {0};
    plan_of(r)->max = 3;
    desk *d = desk_new(r);
    tw_detect_env env = desk_env(d);
    env.dropped = &dropped;
    d->det->cls->free(d->det);
    d->det = tw_detector_class_of(r)->new (r, &env, NULL);
    for (int64_t t = 1; t <= 5; t++) {
        in_order(d, t * 1000, "k", LEFT, (double)t);
    }
    assert_int_equal(atomic_load(&dropped.value), 2);
    comes(d, 500, "k", LEFT, 0); /* older than all: itself */
    assert_int_equal(atomic_load(&dropped.value), 3);
    in_order(d, 5500, "k", RIGHT, 0);
    assert_int_equal(d->line_count, 3);
    desk_free(d);
}

/* ---- a newer version ---- */

static void an_edit_of_within_keeps_what_waits(void **state)
{
    (void)state;
    assert_int_equal(desk_fate(join_rule(TW_JOIN_EACH, 1000, 2000),
                               join_rule(TW_JOIN_EACH, 1000, 1000)),
                     TW_FATE_WARMING);
    assert_int_equal(desk_fate(join_rule(TW_JOIN_EACH, 500, 1000),
                               join_rule(TW_JOIN_EACH, 1000, 1000)),
                     TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(join_rule(TW_JOIN_EACH, 1000, 1000),
                               join_rule(TW_JOIN_EACH, 1000, 1000)),
                     TW_FATE_KEPT);
    assert_int_equal(desk_fate(join_rule(TW_JOIN_MISSING, 1000, 1000),
                               join_rule(TW_JOIN_EACH, 1000, 1000)),
                     TW_FATE_COLD);
}

static void a_longer_within_gives_what_waits_more_time(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_MISSING, 0, 1000));
    in_order(d, 5000, "k", LEFT, 1);
    desk_reload(d, join_rule(TW_JOIN_MISSING, 0, 3000));
    advance(d, 8000);
    expect_nothing(d);
    advance(d, 8001);
    expect_line(d, "8000 k occurred ok>crit -");
    desk_free(d);
}

static void a_shorter_within_ends_spans_by_the_clock_of_the_reload(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_MISSING, 5000, 5000));
    in_order(d, 5000, "k", LEFT, 1);
    in_order(d, 5000, "j", RIGHT, 1);
    advance(d, 8000);
    desk_reload(d, join_rule(TW_JOIN_MISSING, 1000, 1000));
    assert_true(d->det->cls->next_deadline(d->det) <= 6000);
    advance(d, 8000);
    expect_line(d, "8000 k occurred ok>crit -"); /* its end lies before the edit */
    assert_int_equal(key_count(d), 0);
    desk_free(d);
}

static void kept_fields_follow_their_names_into_a_newer_version(void **state)
{
    (void)state;
    desk *d = seeing_desk(join_rule(TW_JOIN_ON_CLOSE, 0, 1000));
    in_order(d, 5000, "k", LEFT, 7);
    in_order(d, 5100, "k", RIGHT, 8);
    tw_rule *r = join_rule(TW_JOIN_ON_CLOSE, 0, 1000);
    r->kept_count = 2; /* "value" stands second now, behind one that was not kept */
    r->kept = tw_realloc(r->kept, 2 * sizeof *r->kept);
    r->kept[1] = r->kept[0];
    r->kept[0] = tw_strdup("other");
    r->kept_slots = tw_realloc(r->kept_slots, 4 * sizeof *r->kept_slots);
    for (int n = 0; n < 4; n++) {
        r->kept_slots[n] = n % 2 ? SLOT_VALUE : SLOT_KIND;
    }
    desk_reload(d, r);
    advance(d, 6001);
    expect_line(d, "6000 k occurred ok>crit -");
    tw_rule *back = join_rule(TW_JOIN_ON_CLOSE, 0, 1000);
    tw_detect_env env = desk_env(d);
    env.out.signal = see;
    in_order(d, 7000, "k", LEFT, 9);
    tw_detector *fresh = tw_detector_class_of(back)->new (back, &env, NULL);
    fresh->cls->adopt(fresh, d->det, d->clock_ms);
    d->det->cls->free(d->det);
    tw_rule_unref(d->rule);
    d->det = fresh;
    d->rule = back;
    in_order(d, 7100, "k", RIGHT, 10);
    advance(d, 8001);
    assert_true(look.left == 9 && look.last == 10);
    desk_free(d);
}

/* ---- bytes ---- */

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void feed_at_random(desk *d, unsigned seed, bool restarts)
{
    static const char *const keys[] = {"k", "j", "l"};
    int64_t at_ms = 5000;

    for (int n = 0; n < 80 && d->line_count < 100; n++) {
        at_ms += next_random(&seed) % 400;
        if (next_random(&seed) % 3 == 0) {
            advance(d, at_ms);
        }
        int64_t time_ms = at_ms - next_random(&seed) % 600;
        const char *key = keys[next_random(&seed) % 3];
        uint32_t side = next_random(&seed) % 2;
        comes(d, time_ms, key, side, n);
        if (next_random(&seed) % 10 == 0 && restarts) {
            through_bytes(d);
        }
    }
    advance(d, at_ms + 5000);
}

static void a_restart_anywhere_changes_nothing(void **state)
{
    uint32_t told = 0;

    (void)state;
    for (unsigned seed = 0; seed < 100; seed++) {
        tw_rule *r = join_rule(seed % 5, seed % 3 * 300, 200 + seed % 4 * 300);
        plan_of(r)->need_right =
            seed % 5 && seed % 5 != TW_JOIN_ALWAYS ? 1 + seed % 2 : 1;
        plan_of(r)->need_left = seed % 5 == TW_JOIN_COMPLETE ? 1 + seed % 3 : 1;
        r->incident.set = seed % 2;
        r->incident.resolve_after_ms = 1000;
        desk *d = desk_new(r), *e = desk_new(tw_rule_ref(r));
        feed_at_random(d, seed, false);
        feed_at_random(e, seed, true);
        told += d->line_count;
        while (d->line_read < d->line_count) {
            expect_line(e, d->lines[d->line_read++]);
        }
        expect_nothing(e);
        assert_int_equal(key_count(e), key_count(d));
        desk_free(d);
        desk_free(e);
    }
    assert_true(told > 1000);
}

static void bytes_that_save_did_not_write_are_refused(void **state)
{
    (void)state;
    desk *d = desk_new(join_rule(TW_JOIN_ALWAYS, 500, 500));
    tw_buf bytes;

    in_order(d, 1000, "k", LEFT, 1);
    in_order(d, 1100, "k", RIGHT, 2);
    in_order(d, 1200, "j", RIGHT, 2);
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
        cmocka_unit_test(a_pair_brings_the_fields_of_both_and_both_as_evidence),
        cmocka_unit_test(the_end_of_a_span_brings_the_first_and_the_last),
        cmocka_unit_test(one_record_that_both_sides_take_is_not_its_own_partner),
        cmocka_unit_test(what_nothing_can_meet_any_more_is_late),
        cmocka_unit_test(a_key_goes_when_nothing_of_it_waits),
        cmocka_unit_test(a_key_that_told_something_stays_while_it_is_open),
        cmocka_unit_test(what_an_evicted_key_had_open_ends),
        cmocka_unit_test(of_a_side_that_is_full_the_oldest_goes_and_is_counted),
        cmocka_unit_test(an_edit_of_within_keeps_what_waits),
        cmocka_unit_test(a_longer_within_gives_what_waits_more_time),
        cmocka_unit_test(a_shorter_within_ends_spans_by_the_clock_of_the_reload),
        cmocka_unit_test(kept_fields_follow_their_names_into_a_newer_version),
        cmocka_unit_test(a_restart_anywhere_changes_nothing),
        cmocka_unit_test(bytes_that_save_did_not_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
