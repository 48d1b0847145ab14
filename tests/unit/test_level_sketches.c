// SPDX-License-Identifier: Apache-2.0
/* A level over sketches: what each judgement sees is the same whether or not the operator goes
 * through bytes on the way, in every kind of window. */
#include "detecting.h"

#include <stdlib.h>

enum { EVENTS = 120, LOG = 200000 };

static char *seen;
static size_t seen_len;

static void note_top(const tw_top *top)
{
    for (uint32_t n = 0; n < top->count; n++) {
        tw_value v = top->items[n].value;
        seen_len += (size_t)snprintf(seen + seen_len, LOG - seen_len, " %.*s=%g",
                                     (int)v.len, v.s, top->items[n].count);
    }
}

static bool note(const tw_result *r, int fn)
{
    (void)fn;
    for (uint32_t n = 0; n < r->count; n++) {
        seen_len +=
            (size_t)snprintf(seen + seen_len, LOG - seen_len, " %s:%d:%a", r->names[n],
                             r->has[n], r->has[n] ? r->values[n] : 0);
        if (r->tops && r->tops[n].items) {
            note_top(&r->tops[n]);
        }
    }
    seen_len += (size_t)snprintf(seen + seen_len, LOG - seen_len, "\n");
    assert_true(seen_len < LOG - 1000);
    return false;
}

static tw_rule *sketch_rule(tw_window_kind window, bool prev)
{
    static const tw_agg_kind kinds[] = {TW_AGG_TOPK,   TW_AGG_DISTINCT, TW_AGG_QUANTILE,
                                        TW_AGG_LATEST, TW_AGG_EWMA,     TW_AGG_TREND};
    static const char *const names[] = {"top",    "distinct", "q",
                                        "latest", "ewma",     "trend"};
    tw_rule *r = desk_rule();

    for (uint32_t n = 0; n < 6; n++) {
        uint32_t agg = add_agg(r, kinds[n], 0);
        tw_aggregate *a = &r->level.aggs[agg];
        bool number = kinds[n] != TW_AGG_TOPK && kinds[n] != TW_AGG_DISTINCT;
        a->slot = number ? SLOT_KIND : SLOT_VALUE;
        a->has_second = kinds[n] == TW_AGG_LATEST || kinds[n] == TW_AGG_TOPK;
        a->second = kinds[n] == TW_AGG_LATEST ? SLOT_VALUE : SLOT_KIND;
        a->param = kinds[n] == TW_AGG_EWMA ? 50 : 0.5;
        a->fold = TW_AGG_AVG;
        a->top = 3;
        tw_expr_node node = {.op = TW_EXPR_AGG, .agg = agg, .prev = prev && n > 0};
        add_value(r, names[n], &node, 1);
    }
    r->level.window = (tw_window){.kind = window,
                                  .over_ms = 120,
                                  .every_ms = window == TW_WINDOW_TUMBLING ? 120 : 40,
                                  .last = 5,
                                  .exact = 6,
                                  .prev = prev};
    level_of(r, TW_LEVEL_CRIT)->when_fn = 1;
    return r;
}

/* What every judgement saw; the caller frees it. */
static char *run(tw_window_kind window, bool prev, uint32_t restarts)
{
    desk *d = desk_new(sketch_rule(window, prev));
    tw_detect_env env = desk_env(d);
    int64_t now = 1000;
    unsigned random = 7;

    seen = tw_alloc(LOG);
    seen_len = 0;
    d->predicate = note;
    for (uint32_t n = 0; n < EVENTS; n++) {
        char path[40];
        random = random * 1103515245u + 12345u;
        now += random >> 16 & 15;
        int len =
            snprintf(path, sizeof path, "/a/long/path/of/things/%u", random >> 20 & 7);
        advance(d, now);
        event_only(d, now, random >> 24 & 1 ? "a" : "b", 0,
                   tw_value_string(path, (size_t)len), (int)(random >> 8 & 15));
        if (restarts > 0 && n % restarts == 0) {
            desk_restart(d, &env);
        }
    }
    advance(d, now + 1000);
    desk_free(d);
    return seen;
}

static void a_restart_changes_nothing_that_is_seen(void **state)
{
    static const tw_window_kind kinds[] = {TW_WINDOW_SLIDING, TW_WINDOW_HOPPING,
                                           TW_WINDOW_TUMBLING, TW_WINDOW_COUNT};
    (void)state;

    for (int n = 0; n < 8; n++) {
        char *whole = run(kinds[n / 2], n % 2, 0);
        assert_true(strlen(whole) > 2000);
        for (uint32_t restarts = 1; restarts < 8; restarts += 3) {
            char *broken = run(kinds[n / 2], n % 2, restarts);
            assert_string_equal(whole, broken);
            tw_free(broken);
        }
        tw_free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_changes_nothing_that_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
