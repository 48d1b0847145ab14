// SPDX-License-Identifier: Apache-2.0
/* When a level begins and ends. One lane's thread; no signals leave from here.
 *
 * Each declared level runs for itself:
 *
 *            condition             held for `hold`
 *     rest ------------> pending ------------------> active
 *       ^   <------------                              | | ^
 *       |    not (or no value)         clear condition v | | not any more (or no value)
 *       +------------------------------------------ clearing
 *                     lasted `clear_hold`
 *
 * and the highest active one is the key's. The clear condition is that the condition does
 * not hold and, where a `clear` is set, that the value has come to it. */
#include <math.h>

#include "detect/expr.h"
#include "detect/level_impl.h"

/* ---- values ---- */

static void read_lists(level *d)
{
    for (uint32_t n = 0; n < d->plan->value_count; n++) {
        const tw_aggregate *list = tw_level_list(d->plan, n);
        if (list) {
            d->tops[n] = tw_window_list(&d->windows, (uint32_t)(list - d->plan->aggs));
        }
    }
}

void level_read(level *d, level_key *key, int64_t at_ms)
{
    tw_window_values *wv = &d->window_values;
    int64_t end_ms = at_ms, origin_ms = 0;
    uint32_t n;

    if (d->grid) {
        end_ms = level_judged_end(d, key);
        origin_ms = level_grid_origin(d, key);
    }
    if (d->layout.session) {
        level_session_read(d, key);
    }
    tw_window_read(&d->windows, &key->window, end_ms, key->newest_ms, origin_ms, wv);
    for (n = 0; d->windows.prev && wv->prev_samples < d->need && n < d->aggs.count; n++) {
        wv->has[TW_PREV_AGGS + n] = false;
    }
    for (n = 0; n < d->plan->value_count; n++) {
        d->values[n] = 0;
        d->has[n] = wv->samples >= d->need &&
                    tw_expr_value(&d->plan->values[n], wv->values, wv->has,
                                  d->node_values, d->node_has, &d->values[n]);
    }
    if (n < d->result_count) {
        d->values[n] = (double)wv->samples;
        d->has[n] = true;
    }
    if (d->tops) {
        read_lists(d);
    }
    d->fresh = true;
}

static bool any_value(const level *d)
{
    for (uint32_t n = 0; n < d->plan->value_count; n++) {
        if (d->has[n]) {
            return true;
        }
    }
    return false;
}

/* ---- conditions ---- */

static bool bounds_hold(const tw_level_spec *spec, double v)
{
    bool any = spec->above.set || spec->at_least.set || spec->below.set ||
               spec->at_most.set || spec->outside;

    return any && (!spec->above.set || v > spec->above.value) &&
           (!spec->at_least.set || v >= spec->at_least.value) &&
           (!spec->below.set || v < spec->below.value) &&
           (!spec->at_most.set || v <= spec->at_most.value) &&
           (!spec->outside || v < spec->outside_lo || v > spec->outside_hi);
}

static bool condition_holds(level *d, const tw_level_spec *spec)
{
    if (spec->when_fn == TW_NO_FN) {
        return d->has[0] && bounds_hold(spec, d->values[0]);
    }
    tw_result result = {d->names, d->values, d->has, d->result_count, d->tops};
    bool holds = false;
    int rc =
        d->env.script->cls->test_result(d->env.script, spec->when_fn, &result, &holds);
    return rc == 0 && holds;
}

/* The value has come to the far side of the bound; the condition is known not to hold. */
static bool has_cleared(const level *d, const tw_level_spec *spec)
{
    double v = d->values[0];

    if (!spec->clear.set || spec->when_fn != TW_NO_FN) {
        return true;
    }
    if (spec->outside) {
        return v >= spec->clear_lo && v <= spec->clear_hi;
    }
    if (spec->above.set || spec->at_least.set) {
        return v <= spec->clear.value;
    }
    return v >= spec->clear.value;
}

static level_open *open_of(level *d, level_key *key)
{
    if (!key->open) {
        key->open = tw_slab_take(d->slab, sizeof *key->open);
        *key->open = (level_open){.active = 0};
    }
    return key->open;
}

/* ---- judging ---- */

static void condition_true(level *d, level_key *key, uint32_t lv, int64_t at_ms,
                           int64_t since_ms)
{
    level_open *open = open_of(d, key);
    int64_t hold_ms = d->plan->levels[lv].hold_ms;
    uint8_t bit = (uint8_t)(1u << lv);

    open->clearing &= (uint8_t)~bit;
    if (open->active & bit) {
        return;
    }
    if (!(open->pending & bit)) {
        open->since_ms[lv - 1] = since_ms;
    }
    /* Exactly at the end of its hold an event may still come and end it: the clock fires. */
    if (hold_ms == 0 || open->since_ms[lv - 1] + hold_ms < at_ms) {
        open->active |= bit;
        open->pending &= (uint8_t)~bit;
    } else {
        open->pending |= bit;
    }
}

static void condition_false(level *d, level_key *key, uint32_t lv, int64_t at_ms,
                            int64_t since_ms)
{
    const tw_level_spec *spec = &d->plan->levels[lv];
    level_open *open = key->open;
    uint8_t bit = (uint8_t)(1u << lv);

    if (!open) {
        return;
    }
    open->pending &= (uint8_t)~bit;
    if (!(open->active & bit)) {
        return;
    }
    if (!has_cleared(d, spec)) {
        open->clearing &= (uint8_t)~bit;
        return;
    }
    if (!(open->clearing & bit)) {
        open->clearing_ms[lv - 1] = since_ms;
    }
    if (spec->clear_hold_ms == 0 ||
        open->clearing_ms[lv - 1] + spec->clear_hold_ms < at_ms) {
        open->active &= (uint8_t)~bit;
        open->clearing &= (uint8_t)~bit;
    } else {
        open->clearing |= bit;
    }
}

static bool is_full(const level *d, level_key *key, int64_t at_ms)
{
    if (!d->plan->window.full || d->plan->window.kind == TW_WINDOW_COUNT) {
        return true;
    }
    int64_t start_ms = d->grid ? tw_windows_start(&d->windows, level_judged_end(d, key))
                               : at_ms - d->windows.over_ms;
    return *level_time(key, d->layout.first) <= start_ms;
}

void level_judge(level *d, level_key *key, int64_t at_ms, int64_t since_ms)
{
    if (d->layout.first && !is_full(d, key, at_ms)) {
        return;
    }
    level_read(d, key, at_ms);
    if (!any_value(d)) {
        if (key->open) { /* what is active stays; nothing holds on */
            key->open->pending = key->open->clearing = 0;
        }
        return;
    }
    if (key->open) {
        key->open->override = 0;
        key->open->active &= (uint8_t)d->used;
        key->open->pending &= (uint8_t)d->used;
        key->open->clearing &= (uint8_t)d->used;
    }
    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        if (!(d->used & 1u << lv)) {
            continue;
        }
        if (condition_holds(d, &d->plan->levels[lv])) {
            condition_true(d, key, lv, at_ms, since_ms);
        } else {
            condition_false(d, key, lv, at_ms, since_ms);
        }
    }
}

void level_fire_holds(level *d, level_key *key, int64_t at_ms)
{
    level_open *open = key->open;

    for (uint32_t lv = TW_LEVEL_INFO; open && lv < TW_LEVELS; lv++) {
        const tw_level_spec *spec = &d->plan->levels[lv];
        uint8_t bit = (uint8_t)(1u << lv);
        if (open->pending & d->used & bit &&
            open->since_ms[lv - 1] + spec->hold_ms <= at_ms) {
            open->pending &= (uint8_t)~bit;
            open->active |= bit;
        }
        if (open->clearing & d->used & bit &&
            open->clearing_ms[lv - 1] + spec->clear_hold_ms <= at_ms) {
            open->clearing &= (uint8_t)~bit;
            open->active &= (uint8_t)~bit;
        }
    }
}

/* ---- no data ---- */

bool level_is_nodata(const level *d, level_key *key, int64_t at_ms)
{
    return d->layout.sample &&
           at_ms >= *level_time(key, d->layout.sample) + d->plan->nodata_after_ms;
}

void level_nodata(level *d, level_key *key)
{
    tw_nodata_be be = d->plan->nodata_be;

    key->flags |= KEY_NODATA_DONE;
    if (key->open) {
        key->open->pending = key->open->clearing = 0;
    }
    switch (be) {
    case TW_NODATA_OK:
        if (key->open) {
            key->open->active = 0;
            key->open->override = 0;
        }
        break;
    case TW_NODATA_KEEP:
        break;
    case TW_NODATA_UNKNOWN:
        open_of(d, key)->override = TW_LEVEL_UNKNOWN;
        break;
    case TW_NODATA_ALERT:
        if (d->used != 0) {
            open_of(d, key)->override = (uint8_t)(31 - __builtin_clz(d->used));
        }
        break;
    }
}

/* ---- what a key waits for ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_hold(const level *d, const level_open *open)
{
    int64_t next = INT64_MAX;

    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        const tw_level_spec *spec = &d->plan->levels[lv];
        if (open->pending & d->used & 1u << lv) {
            next = earlier(next, open->since_ms[lv - 1] + spec->hold_ms);
        }
        if (open->clearing & d->used & 1u << lv) {
            next = earlier(next, open->clearing_ms[lv - 1] + spec->clear_hold_ms);
        }
    }
    return next;
}

static bool nodata_matters(const level *d, const level_key *key)
{
    return !(key->flags & KEY_NODATA_DONE) &&
           (!level_at_rest(key) || d->plan->nodata_be == TW_NODATA_UNKNOWN ||
            d->plan->nodata_be == TW_NODATA_ALERT);
}

int64_t level_next(const level *d, level_key *key)
{
    int64_t next = INT64_MAX;

    if (!level_at_rest(key)) {
        next = next_hold(d, key->open);
        next = key->open->news ? earlier(next, key->open->news_ms) : next;
    } else if (!level_session_runs(d, key)) {
        next = key->newest_ms + d->rule->forget_ms;
    }
    if (d->layout.session) {
        next = earlier(next, level_session_end(d, key));
    }
    if (d->grid) {
        if (!(key->flags & KEY_SETTLED)) {
            next = earlier(next, *level_time(key, d->layout.next_end));
        }
    } else if (d->plan->at_input < 0 && (!level_at_rest(key) || d->raise_on_leave)) {
        next = earlier(next,
                       tw_window_next_leave(&d->windows, &key->window, key->newest_ms));
    }
    if (d->layout.sample && nodata_matters(d, key)) {
        next =
            earlier(next, *level_time(key, d->layout.sample) + d->plan->nodata_after_ms);
    }
    if (key->flags & KEY_EDITED) {
        return d->edited_ms;
    }
    return next > d->edited_ms ? next : d->edited_ms;
}

/* ---- what can be said beforehand ---- */

static bool spec_raised_by(const tw_level_spec *spec, uint32_t trend)
{
    bool up = spec->above.set || spec->at_least.set || spec->outside;
    bool down = spec->below.set || spec->at_most.set || spec->outside;

    return (trend & TW_TREND_RISE && up) || (trend & TW_TREND_FALL && down) ||
           (trend != 0 && spec->when_fn != TW_NO_FN);
}

bool level_departure_raises(const level *d)
{
    uint32_t trend = 0;

    if (d->plan->window.full) {
        return true; /* the departure that fills the window is its first judgement */
    }
    for (uint32_t n = 0; n < d->plan->value_count; n++) {
        trend |= tw_expr_trend(&d->plan->values[n], d->plan->aggs);
    }
    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        if (d->used & 1u << lv && spec_raised_by(&d->plan->levels[lv], trend)) {
            return true;
        }
    }
    return false;
}

/* The value is how many entries the window holds. */
static bool counts_entries(const level *d)
{
    const tw_expr *value = d->plan->value_count > 0 ? &d->plan->values[0] : NULL;

    return value && d->plan->window.kind == TW_WINDOW_SLIDING && value->count == 1 &&
           value->nodes[0].op == TW_EXPR_AGG && !value->nodes[0].prev &&
           d->aggs.plain >> value->nodes[0].agg & 1;
}

/* Of a rule whose levels all begin at a number of entries, as most do, the least of these: until
 * then there is nothing to read and nothing to compare. */
double level_quiet_below(const level *d)
{
    double least = INFINITY;

    if (d->measures || !counts_entries(d)) {
        return 0;
    }
    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        const tw_level_spec *spec = &d->plan->levels[lv];
        const tw_bound *bound = spec->at_least.set ? &spec->at_least : &spec->above;
        if (!(d->used & 1u << lv)) {
            continue;
        }
        if (spec->when_fn != TW_NO_FN || !bound->set) {
            return 0;
        }
        least = bound->value < least ? bound->value : least;
    }
    return least;
}
