// SPDX-License-Identifier: Apache-2.0
/* The together detector: what its model (tests/models/together.py) does not see: what goes when there is
 * too much, how long it takes, state that passes to a newer version or through bytes. */
#include "detecting.h"
#include "flow/plan_together.h"

static tw_together_plan *plan_of(tw_rule *r)
{
    return r->detail;
}

/* Inputs a (need_a of them) and b; field `value` is kept. */
static tw_rule *together_rule(int64_t within_ms, uint32_t need_a)
{
    tw_rule *r = desk_rule();
    tw_together_plan *p = tw_alloc(sizeof *p);

    *p = (tw_together_plan){.inputs = {0, 1},
                            .need = {need_a, 1},
                            .count = 2,
                            .within_ms = within_ms,
                            .where_fn = TW_NO_FN,
                            .max = 1000};
    r->detector = TW_DETECT_TOGETHER;
    r->detail = p;
    r->detail_free = tw_free;
    r->role_count = 2;
    r->roles = tw_calloc(2, sizeof *r->roles);
    r->roles[0] = (tw_role){.name = tw_strdup("a"), .is_list = need_a > 1};
    r->roles[1].name = tw_strdup("b");
    r->kept_count = 1;
    r->kept = tw_calloc(1, sizeof *r->kept);
    r->kept[0] = tw_strdup("value");
    r->kept_slots = tw_calloc(2, sizeof *r->kept_slots);
    r->kept_slots[0] = r->kept_slots[1] = SLOT_VALUE;
    return r;
}

enum { A, B };

static void comes(desk *d, int64_t at_ms, const char *key, uint32_t kind)
{
    event_only(d, at_ms, key, kind, tw_value_int(at_ms), -1);
}

static void in_order(desk *d, int64_t at_ms, const char *key, uint32_t kind)
{
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    comes(d, at_ms, key, kind);
}

static uint64_t key_count(const desk *d)
{
    return d->det->cls->key_count(d->det);
}

static void the_newest_of_each_kind_are_told_and_used_up(void **state)
{
    (void)state;
    desk *d = desk_new(together_rule(1000, 2));
    in_order(d, 5000, "k", A);
    in_order(d, 5200, "k", A);
    in_order(d, 5300, "k", A);
    expect_nothing(d);
    in_order(d, 5400, "k", B);
    expect_line(d, "5400 k occurred ok>crit -");
    assert_int_equal(d->last.start_ms, 5200);
    assert_int_equal(d->last.evidence_count, 3);
    in_order(d, 5500, "k", B); /* one a is left */
    expect_nothing(d);
    in_order(d, 6000, "k", A); /* the bound is inclusive */
    expect_line(d, "6000 k occurred ok>crit -");
    assert_int_equal(d->last.start_ms, 5000);
    desk_free(d);
}

static void a_key_goes_when_nothing_of_it_waits(void **state)
{
    (void)state;
    desk *d = desk_new(together_rule(1000, 1));
    in_order(d, 5000, "k", A);
    in_order(d, 5500, "j", B);
    in_order(d, 5600, "j", A);
    expect_line(d, "5600 j occurred ok>crit -");
    assert_int_equal(key_count(d), 1);
    advance(d, 6000);
    assert_int_equal(key_count(d), 1);
    advance(d, 6001);
    assert_int_equal(key_count(d), 0);
    desk_free(d);
}

static void what_nothing_can_meet_any_more_is_late(void **state)
{
    (void)state;
    desk *d = desk_new(together_rule(1000, 1));
    in_order(d, 9000, "k", A);
    advance(d, 10000);
    comes(d, 8000, "k", B);
    expect_line(d, "9000 k occurred ok>crit -");
    comes(d, 7999, "k", B);
    assert_int_equal(atomic_load(&d->late.value), 1);
    comes(d, 8500, "k", B); /* did not wait: its time is over */
    assert_int_equal(key_count(d), 0);
    desk_free(d);
}

static void what_an_evicted_key_had_open_ends(void **state)
{
    (void)state;
    tw_rule *r = together_rule(1000, 1);
    r->incident.set = true;
    r->max_keys = 1;
    desk *d = desk_new(r);
    in_order(d, 5000, "k", A);
    in_order(d, 5500, "k", B);
    expect_line(d, "5500 k occurred ok>crit -");
    in_order(d, 6000, "j", A);
    expect_line(d, "6000 k resolve ok>ok - evicted");
    assert_int_equal(atomic_load(&d->evicted.value), 1);
    desk_free(d);
}

static void of_a_kind_that_is_full_the_oldest_goes_and_is_counted(void **state)
{
    (void)state;
    tw_rule *r = together_rule(10000, 2);
    tw_counter dropped = {0};
    plan_of(r)->max = 2;
    desk *d = desk_new(r);
    tw_detect_env env = desk_env(d);
    env.dropped = &dropped;
    d->det->cls->free(d->det);
    d->det = tw_detector_class_of(r)->new (r, &env, NULL);
    in_order(d, 5000, "k", A);
    in_order(d, 6000, "k", A);
    in_order(d, 7000, "k", A);
    comes(d, 4000, "k", A); /* older than all: itself */
    assert_int_equal(atomic_load(&dropped.value), 2);
    in_order(d, 8000, "k", B);
    expect_line(d, "8000 k occurred ok>crit -");
    assert_int_equal(d->last.start_ms, 6000);
    desk_free(d);
}

static void an_edit_of_within_or_need_keeps_what_waits(void **state)
{
    (void)state;
    assert_int_equal(desk_fate(together_rule(2000, 1), together_rule(1000, 1)),
                     TW_FATE_WARMING);
    assert_int_equal(desk_fate(together_rule(500, 1), together_rule(1000, 1)),
                     TW_FATE_TRIMMED);
    assert_int_equal(desk_fate(together_rule(1000, 2), together_rule(1000, 1)),
                     TW_FATE_KEPT);
    tw_rule *other = together_rule(1000, 1);
    plan_of(other)->count = 1;
    assert_int_equal(desk_fate(other, together_rule(1000, 1)), TW_FATE_COLD);
}

static void a_newer_version_goes_on_with_what_waits(void **state)
{
    (void)state;
    desk *d = desk_new(together_rule(1000, 1));
    in_order(d, 5000, "k", A);
    in_order(d, 5000, "j", A);
    desk_reload(d, together_rule(3000, 1));
    in_order(d, 8000, "k", B);
    expect_line(d, "8000 k occurred ok>crit -");
    desk_reload(d, together_rule(500, 1));
    advance(d, 8000);
    assert_int_equal(key_count(d), 0);
    desk_free(d);
}

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
        comes(d, time_ms, key, next_random(&seed) % 2);
        if (next_random(&seed) % 10 == 0 && restarts) {
            through_bytes(d);
        }
    }
    advance(d, at_ms + 5000);
}

static void a_restart_anywhere_changes_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        tw_rule *r = together_rule(300 + seed % 4 * 300, 1 + seed % 2);
        r->incident.set = seed % 3 == 0;
        r->incident.resolve_after_ms = 1000;
        desk *d = desk_new(r), *e = desk_new(tw_rule_ref(r));
        feed_at_random(d, seed, false);
        feed_at_random(e, seed, true);
        assert_int_not_equal(d->line_count, 0);
        while (d->line_read < d->line_count) {
            expect_line(e, d->lines[d->line_read++]);
        }
        expect_nothing(e);
        assert_int_equal(key_count(e), key_count(d));
        desk_free(d);
        desk_free(e);
    }
}

static void bytes_that_save_did_not_write_are_refused(void **state)
{
    (void)state;
    desk *d = desk_new(together_rule(1000, 2));
    tw_buf bytes;

    in_order(d, 1000, "k", A);
    in_order(d, 1100, "k", B);
    in_order(d, 1200, "j", B);
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
        cmocka_unit_test(the_newest_of_each_kind_are_told_and_used_up),
        cmocka_unit_test(a_key_goes_when_nothing_of_it_waits),
        cmocka_unit_test(what_nothing_can_meet_any_more_is_late),
        cmocka_unit_test(what_an_evicted_key_had_open_ends),
        cmocka_unit_test(of_a_kind_that_is_full_the_oldest_goes_and_is_counted),
        cmocka_unit_test(an_edit_of_within_or_need_keeps_what_waits),
        cmocka_unit_test(a_newer_version_goes_on_with_what_waits),
        cmocka_unit_test(a_restart_anywhere_changes_nothing),
        cmocka_unit_test(bytes_that_save_did_not_write_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
