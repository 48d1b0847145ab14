// SPDX-License-Identifier: Apache-2.0
/* The level detector against a model that knows no windows, timers or panes (level_model.h).
 * Random rules and feeds; events out of order, clocks that lag, and in every fourth
 * feed restarts: all it knows goes through bytes into a new one. */
#include "detecting.h"

#include <math.h>
#include <stdlib.h>

#include "level_model.h"

enum { SEEDS = 2000 };

/* ---- random rules ---- */

static uint64_t random_state, current_seed;

static uint32_t pick(uint32_t count)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(random_state >> 33) % count;
}

static bool chance(uint32_t percent)
{
    return pick(100) < percent;
}

static void random_aggs(tw_rule *r)
{
    uint32_t count = 1 + pick(3);
    tw_window_kind window = r->level.window.kind;

    for (uint32_t n = 0; n < count; n++) {
        static const tw_agg_kind bare[] = {TW_AGG_LAST, TW_AGG_EWMA, TW_AGG_ELAPSED,
                                           TW_AGG_LATEST};
        tw_agg_kind kind = (tw_agg_kind)pick(TW_AGG_DISTINCT + 1);
        bool steps = kind == TW_AGG_RATE_COUNTER ||
                     (kind >= TW_AGG_INCREASE && kind <= TW_AGG_RESETS);
        if (window == TW_WINDOW_NONE) {
            kind = bare[pick(4)];
        } else if (steps && window != TW_WINDOW_SLIDING) {
            kind = TW_AGG_DELTA; /* others do not see a reset that comes out of order */
        }
        add_agg(r, kind, chance(80) ? 0 : 1);
        r->level.aggs[n].param = 5 + pick(50);
        r->level.aggs[n].fold = TW_AGG_SUM;
        if (kind == TW_AGG_LATEST) {
            r->level.aggs[n].has_second = true;
            r->level.aggs[n].second = SLOT_KIND;
        }
        if (chance(25)) {
            narrow(r, pick(2));
        } else if (chance(10) && kind != TW_AGG_LATEST) {
            tw_aggregate *agg = &r->level.aggs[n];
            bool wants = agg->has_field;
            agg->has_field = false;
            agg->fn = wants ? 1 : TW_NO_FN;
        }
    }
    bool prev = window != TW_WINDOW_NONE && chance(30);
    r->level.window.prev = prev;
    if (prev && window == TW_WINDOW_HOPPING) {
        r->level.window.over_ms = r->level.window.every_ms * (1 + pick(5));
    }
    const tw_expr_node quotient[] = {{.op = TW_EXPR_AGG, .agg = 0},
                                     {.op = TW_EXPR_AGG, .agg = count - 1, .prev = prev},
                                     {.op = TW_EXPR_DIV, .left = 0, .right = 1}};
    const tw_expr_node difference[] = {
        {.op = TW_EXPR_AGG, .agg = 0},
        {.op = TW_EXPR_NUMBER, .number = 2},
        {.op = TW_EXPR_MUL, .left = 0, .right = 1},
        {.op = TW_EXPR_AGG, .agg = count - 1, .prev = prev},
        {.op = TW_EXPR_SUB, .left = 2, .right = 3}};
    if (chance(60)) {
        value_is_agg(r, 0);
    } else if (chance(50)) {
        add_value(r, "value", quotient, 3);
    } else {
        add_value(r, "value", difference, 5);
    }
}

static void random_bound(tw_level_spec *s, double v)
{
    switch (pick(5)) {
    case 0:
        s->above = (tw_bound){true, v};
        break;
    case 1:
        s->below = (tw_bound){true, v};
        break;
    case 2:
        s->at_most = (tw_bound){true, v};
        break;
    case 3:
        s->outside = true;
        s->outside_lo = v - 2;
        s->outside_hi = v + 2;
        s->clear_lo = v - 1;
        s->clear_hi = v + 1;
        break;
    default:
        s->at_least = (tw_bound){true, v};
        break;
    }
    if (chance(40)) {
        s->clear = (tw_bound){true, s->above.set || s->at_least.set ? v - 2 : v + 2};
    }
    s->hold_ms = chance(50) ? 1 + pick(60) : 0;
    s->clear_hold_ms = chance(40) ? 1 + pick(40) : 0;
}

static tw_rule *random_rule(void)
{
    tw_rule *r = desk_rule();
    tw_level_plan *p = &r->level;

    p->window.kind = (tw_window_kind)pick(5);
    p->window.every_ms = 5 + pick(40);
    p->window.over_ms = 10 + pick(100);
    if (p->window.kind == TW_WINDOW_TUMBLING) {
        p->window.over_ms = p->window.every_ms;
    }
    if (p->window.over_ms <= 64 && chance(50)) {
        p->window.exact = 1 + pick(5); /* 64 panes of a millisecond leave nothing out */
    }
    p->window.last = 1 + pick(8);
    p->window.count_every = chance(30) ? 1 + pick(5) : 0;
    p->window.align_first = chance(20);
    p->window.full = chance(20);
    random_aggs(r);
    double off = chance(50) ? 0.137 : 0;
    for (int lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        if (chance(50)) {
            random_bound(level_of(r, (tw_level)lv), pick(8) + off);
        }
    }
    p->min_samples = chance(30) ? 1 + pick(4) : 0;
    if (chance(40)) {
        p->has_nodata = true;
        p->nodata_after_ms = 5 + pick(100);
        p->nodata_be = (tw_nodata_be)pick(4);
    }
    bool grid =
        p->window.kind == TW_WINDOW_HOPPING || p->window.kind == TW_WINDOW_TUMBLING;
    p->at_input = !grid && chance(15) ? 0 : -1;
    r->forget_ms = 50 + pick(300);
    return r;
}

/* ---- what the detector tells ---- */

static model_line seen[MODEL_TOLD];
static uint32_t seen_count, all_count;

static void on_signal(void *self, const tw_signal *s)
{
    (void)self;
    assert_true(seen_count < MODEL_TOLD);
    seen[seen_count++] =
        (model_line){s->at_ms,         (char)s->key.data[0], s->kind, s->from, s->level,
                     s->result.has[0], s->result.values[0]};
}

/* ---- the comparison ---- */

static void compare(int64_t clock)
{
    uint32_t expected_count;
    const model_line *expected = model_told(&expected_count);

    for (uint32_t n = 0; n < seen_count || n < expected_count; n++) {
        const model_line *a = &seen[n], *b = &expected[n];
        bool same = n < seen_count && n < expected_count && a->at_ms == b->at_ms &&
                    a->key == b->key && a->kind == b->kind && a->from == b->from &&
                    a->to == b->to && a->has == b->has &&
                    (!a->has || fabs(a->value - b->value) < 1e-9 * (1 + fabs(b->value)));
        if (!same) {
            print_message(
                "line %u of %u/%u: %lld %c kind %d %d>%d %d %g, expected %lld %c "
                "kind %d %d>%d %d %g\n",
                n, seen_count, expected_count, (long long)a->at_ms, a->key, (int)a->kind,
                (int)a->from, (int)a->to, a->has, a->value, (long long)b->at_ms, b->key,
                (int)b->kind, (int)b->from, (int)b->to, b->has, b->value);
            fail_msg("seed %llu differs at clock %lld", (unsigned long long)current_seed,
                     (long long)clock);
        }
    }
}

static void send(desk *d, uint32_t key, const model_event *e)
{
    char name[] = {(char)('a' + key), '\0'};
    tw_value v = e->has ? tw_value_double(e->value) : tw_value_absent();

    event_only(d, e->time_ms, name, e->input, v, e->kind);
    model_feed(key, e, d->clock_ms);
}

/* What it takes to see why a seed fails. */
static void say_rule(const tw_rule *r)
{
    const tw_level_plan *p = &r->level;

    print_message(
        "window %d over %lld every %lld last %u block %u align %d full %d min %u "
        "nodata %d %lld %d at %d forget %lld\n",
        (int)p->window.kind, (long long)p->window.over_ms, (long long)p->window.every_ms,
        p->window.last, p->window.count_every, p->window.align_first, p->window.full,
        p->min_samples, p->has_nodata, (long long)p->nodata_after_ms, (int)p->nodata_be,
        p->at_input, (long long)r->forget_ms);
    for (uint32_t n = 0; n < p->agg_count; n++) {
        print_message("aggregate %d of %u, fn %d, match %d\n", (int)p->aggs[n].kind,
                      p->aggs[n].input, p->aggs[n].fn, p->aggs[n].match != NULL);
    }
    for (int lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        const tw_level_spec *s = &p->levels[lv];
        print_message(
            "level %d: used %d > %d %g >= %d %g < %d %g <= %d %g clear %d %g hold "
            "%lld %lld\n",
            lv, s->used, s->above.set, s->above.value, s->at_least.set, s->at_least.value,
            s->below.set, s->below.value, s->at_most.set, s->at_most.value, s->clear.set,
            s->clear.value, (long long)s->hold_ms, (long long)s->clear_hold_ms);
    }
}

static void run_seed(uint64_t seed)
{
    current_seed = seed;
    random_state = seed * 7919;
    memset(seen, 0, sizeof seen);
    seen_count = 0;
    tw_rule *r = random_rule();
    model_start(r);
    if (getenv("TW_SEED")) {
        say_rule(r);
    }
    desk *d = tw_alloc(sizeof *d);
    d->rule = r;
    d->script.cls = &desk_script;
    tw_detect_env env = desk_env(d);
    env.out = (tw_signal_port){on_signal, d};
    d->det = tw_detector_class_of(r)->new (r, &env, NULL);
    d->clock_ms = 1000;

    int64_t now = 1000, disorder = chance(50) ? 1 + pick(40) : 1,
            lag = chance(30) ? pick(30) : 0;
    uint32_t restarts =
        seed % 4 == 1 ? 2 + pick(12) : 0; /* every so many events; 0: never */
    for (int n = 0; n < MODEL_EVENTS; n++) {
        now += chance(5) ? pick(200) : pick(12);
        model_event e = {.time_ms = now - pick((uint32_t)disorder),
                         .input = chance(75) ? 0 : 1,
                         .has = chance(90),
                         .value = pick(9),
                         .kind = (int)pick(2)};
        send(d, pick(MODEL_KEYS), &e);
        if (now - lag > d->clock_ms && chance(80)) {
            model_advance(d->clock_ms, now - lag);
            advance(d, now - lag);
        }
        compare(d->clock_ms);
        if (restarts > 0 && pick(restarts) == 0) {
            desk_restart(d, &env);
        }
    }
    model_advance(d->clock_ms, now + 700);
    advance(d, now + 700);
    compare(d->clock_ms);
    assert_int_equal(atomic_load(&d->late.value), model_late());
    all_count += seen_count;
    assert_int_equal(d->det->cls->key_count(d->det), model_living());
    desk_free(d);
}

static void random_rules_and_feeds_agree_with_the_model(void **state)
{
    (void)state;
    const char *only = getenv("TW_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : SEEDS;

    for (uint64_t seed = first; seed <= last; seed++) {
        run_seed(seed);
    }
    print_message("%u told, seeds %llu to %llu\n", all_count, (unsigned long long)first,
                  (unsigned long long)last);
    assert_true(only || all_count > 10 * SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_and_feeds_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
