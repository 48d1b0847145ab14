// SPDX-License-Identifier: Apache-2.0
/* A level that was edited tells the same as one that had always been so, once it is warm: random events. */
#include "level_edit.h"

enum { KEYS = 5 };

/* ---- as if it had always been so ----------------------------------------------------- */

typedef struct mirror {
    desk *d;
    tw_level told[KEYS];
} mirror;

static void see(void *self, const tw_signal *s)
{
    mirror *m = self;

    if (s->kind == TW_SIGNAL_LEVEL) {
        m->told[s->key.data[0] - 'a'] = s->level;
    }
}

static tw_detector *mirrored(mirror *m, tw_rule *rule)
{
    tw_detect_env env = desk_env(m->d);

    env.out = (tw_signal_port){see, m};
    return tw_detector_class_of(rule)->new (rule, &env, NULL);
}

static mirror *mirror_new(tw_rule *rule)
{
    mirror *m = tw_alloc(sizeof *m);

    m->d = desk_new(rule);
    m->d->det->cls->free(m->d->det);
    m->d->det = mirrored(m, rule);
    return m;
}

static void mirror_edit(mirror *m, tw_rule *rule)
{
    tw_detector *fresh = mirrored(m, rule);

    fresh->cls->adopt(fresh, m->d->det, m->d->clock_ms);
    m->d->det->cls->free(m->d->det);
    tw_rule_unref(m->d->rule);
    m->d->rule = rule;
    m->d->det = fresh;
}

/* Through bytes into a new operator. */
static void mirror_restart(mirror *m)
{
    tw_detect_env env = desk_env(m->d);

    env.out = (tw_signal_port){see, m};
    desk_restart(m->d, &env);
}

static void mirror_free(mirror *m)
{
    desk_free(m->d);
    tw_free(m);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* One run that is edited in the middle, and restarted then or later, and one of the newer rule alone: from then on,
 * or from when it is warm, they tell the same. */
static void compare_runs(tw_rule *(*make)(bool newer), uint64_t seed, int64_t warm_ms)
{
    mirror *edited = mirror_new(make(false)), *always = mirror_new(make(true));
    int64_t at_ms = 100000, edit_ms = 0;

    for (int n = 0; n < 400; n++) {
        at_ms += (int64_t)(random_next(&seed) % 400);
        char key[2] = {(char)('a' + random_next(&seed) % KEYS), 0};
        double value = (double)(random_next(&seed) % 10);
        if (n == 200) {
            mirror_edit(edited, make(true));
            edit_ms = at_ms;
        }
        if (n == 200 + (int)(seed % 40)) {
            mirror_restart(edited);
        }
        event_at(edited->d, at_ms, key, value);
        event_at(always->d, at_ms, key, value);
        if (edit_ms > 0 && at_ms > edit_ms + warm_ms) {
            assert_memory_equal(edited->told, always->told, sizeof edited->told);
        }
    }
    mirror_free(edited);
    mirror_free(always);
}

static tw_rule *gets_shorter(bool newer)
{
    return sliding(newer ? 1700 : 5000, 2);
}

static tw_rule *gets_longer(bool newer)
{
    return sliding(newer ? 5000 : 1700, 4);
}

static tw_rule *holds_fewer(bool newer)
{
    return last_of(newer ? 3 : 8, 16);
}

static tw_rule *looks_back_twice(bool newer)
{
    tw_rule *r = desk_rule();
    uint32_t agg = add_agg(r, TW_AGG_SUM, 0);
    tw_expr_node nodes[] = {{.op = TW_EXPR_AGG, .agg = agg},
                            {.op = TW_EXPR_AGG, .agg = agg, .prev = true},
                            {.op = TW_EXPR_SUB, .left = 0, .right = 1}};

    add_value(r, "value", nodes, 3);
    r->level.window = (tw_window){
        .kind = TW_WINDOW_SLIDING, .over_ms = newer ? 1500 : 4000, .prev = true};
    at_least(r, TW_LEVEL_CRIT, 2);
    return r;
}

/* Judged when a session ends, which it does by the gap of the version at work. */
static tw_rule *session_of(bool newer)
{
    tw_rule *r = simple_rule(TW_AGG_SUM, TW_WINDOW_SESSION, 0, 0);

    r->level.window.gap_ms = newer ? 700 : 1500;
    at_least(r, TW_LEVEL_CRIT, 9);
    return r;
}

static void an_edited_window_is_as_if_it_had_always_been_so(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        compare_runs(gets_shorter, seed, 0);
        compare_runs(gets_longer, seed, 5000 - 1700);
        compare_runs(holds_fewer, seed, 20000); /* each key has had an event since */
        compare_runs(hops_otherwise, seed, 4000);
        compare_runs(looks_back_twice, seed, 0);
        compare_runs(session_of, seed, 20000); /* each key has had a session since */
    }
}

/* ---- aggregates -------------------------------------------------------------------- */

/* errors / all, or the other way round and with a third between them. */
static tw_rule *ratio(bool newer)
{
    tw_rule *r = desk_rule();
    uint32_t errors, all;

    if (newer) {
        all = add_agg(r, TW_AGG_COUNT, 0);
        add_agg(r, TW_AGG_MAX, 0);
        errors = add_agg(r, TW_AGG_SUM, 0);
    } else {
        errors = add_agg(r, TW_AGG_SUM, 0);
        all = add_agg(r, TW_AGG_COUNT, 0);
        add_agg(r, TW_AGG_MIN, 0);
    }
    tw_expr_node nodes[] = {{.op = TW_EXPR_AGG, .agg = errors},
                            {.op = TW_EXPR_AGG, .agg = all},
                            {.op = TW_EXPR_DIV, .left = 0, .right = 1}};
    add_value(r, "value", nodes, 3);
    r->level.window = (tw_window){.kind = TW_WINDOW_SLIDING, .over_ms = 5000};
    at_least(r, TW_LEVEL_CRIT, 5);
    return r;
}

static tw_rule *ratio_in_panes(bool newer)
{
    tw_rule *r = ratio(newer);

    r->level.window.kind = TW_WINDOW_HOPPING;
    r->level.window.every_ms = 1000;
    return r;
}

static void aggregates_are_found_again_by_what_they_are(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        compare_runs(ratio, seed, 0);
        compare_runs(ratio_in_panes, seed, 1000);
    }
    tw_edit edit = desk_edit(ratio(true), ratio(false));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 5000);
    assert_string_equal(edit.why, "1 aggregate is new; 1 aggregate is dropped");
}

/* How many values are there, and their sum, beside lists and sketches that come, go and change their places. */
static tw_rule *sketches(bool newer)
{
    static const tw_agg_kind before[] = {TW_AGG_TOPK, TW_AGG_DISTINCT, TW_AGG_QUANTILE,
                                         TW_AGG_LATEST};
    static const tw_agg_kind after[] = {TW_AGG_QUANTILE, TW_AGG_LATEST, TW_AGG_TOPK,
                                        TW_AGG_DISTINCT};
    tw_rule *r = desk_rule();
    uint32_t distinct = 0, latest = 0;

    for (uint32_t n = 0; n < 4; n++) {
        tw_agg_kind kind = newer ? after[n] : before[n];
        uint32_t agg = add_agg(r, kind, 0);
        tw_aggregate *a = &r->level.aggs[agg];
        a->top = 3;
        a->param = newer ? 0.9 : 0.5;
        a->fold = TW_AGG_SUM;
        a->has_second = kind == TW_AGG_LATEST;
        a->second = SLOT_VALUE;
        distinct = kind == TW_AGG_DISTINCT ? agg : distinct;
        latest = kind == TW_AGG_LATEST ? agg : latest;
    }
    tw_expr_node nodes[] = {{.op = TW_EXPR_AGG, .agg = distinct},
                            {.op = TW_EXPR_AGG, .agg = latest},
                            {.op = TW_EXPR_ADD, .left = 0, .right = 1}};
    add_value(r, "value", nodes, 3);
    r->level.window =
        (tw_window){.kind = TW_WINDOW_SLIDING, .over_ms = newer ? 4000 : 6000};
    at_least(r, TW_LEVEL_CRIT, 22);
    return r;
}

static tw_rule *sketches_in_panes(bool newer)
{
    tw_rule *r = sketches(newer);

    r->level.window.kind = TW_WINDOW_HOPPING;
    r->level.window.every_ms = newer ? 2000 : 1000;
    return r;
}

static tw_rule *sketches_of_the_last(bool newer)
{
    tw_rule *r = sketches(newer);

    r->level.window = (tw_window){.kind = TW_WINDOW_COUNT, .last = newer ? 5 : 9};
    return r;
}

static void lists_and_sketches_follow_in_any_form(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        compare_runs(sketches, seed, 0);
        compare_runs(sketches_in_panes, seed, 4000);
        compare_runs(sketches_of_the_last, seed, 20000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edited_window_is_as_if_it_had_always_been_so),
        cmocka_unit_test(aggregates_are_found_again_by_what_they_are),
        cmocka_unit_test(lists_and_sketches_follow_in_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
