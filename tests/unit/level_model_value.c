// SPDX-License-Identifier: Apache-2.0
/* The model's windows and aggregates; see level_model.h. Pure functions. */
#include "level_model.h"

#include <math.h>
#include <string.h>

static bool takes(const tw_aggregate *agg, const model_event *e)
{
    bool counts = agg->kind == TW_AGG_COUNT || agg->kind == TW_AGG_RATE_EVENTS ||
                  agg->kind == TW_AGG_ELAPSED;
    int kind = agg->match ? (int)agg->match->items[0].values[0].i : -1;

    return agg->input == e->input && (kind < 0 || kind == e->kind) && (counts || e->has);
}

bool model_is_sample(const tw_rule *rule, const model_event *e)
{
    for (uint32_t n = 0; n < rule->level.agg_count; n++) {
        const tw_aggregate *agg = &rule->level.aggs[n];
        bool read = rule->level.window.kind == TW_WINDOW_COUNT && agg->input == e->input;
        if (read || takes(agg, e)) {
            return true;
        }
    }
    return false;
}

int64_t model_floor(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

static int64_t model_origin(const tw_rule *rule, const model_key *k)
{
    return rule->level.window.align_first ? k->first_ms : 0;
}

bool model_is_grid(const tw_rule *rule)
{
    tw_window_kind kind = rule->level.window.kind;
    return kind == TW_WINDOW_HOPPING || kind == TW_WINDOW_TUMBLING;
}

bool model_is_end(const tw_rule *rule, const model_key *k, int64_t t)
{
    const tw_window *w = &rule->level.window;
    int64_t from_first = t - w->over_ms - model_origin(rule, k);
    return model_is_grid(rule) &&
           model_floor(from_first, w->every_ms) * w->every_ms == from_first;
}

/* The events of the window as it stands at t, sorted by time (count: as they came). */
static uint32_t window_at(const tw_rule *rule, const model_key *k, int64_t t, bool prev,
                          model_event *out)
{
    const tw_window *w = &rule->level.window;
    uint32_t count = 0, skip = 0;
    int64_t from = t - w->over_ms + 1, to = t; /* inclusive */

    if (model_is_grid(rule)) {
        for (to = t; !model_is_end(rule, k, to);) {
            to--;
        }
        from = to - w->over_ms;
        to--;
    }
    if (prev) {
        from -= w->over_ms;
        to -= w->over_ms;
    }
    for (uint32_t n = 0; n < k->event_count; n++) {
        const model_event *e = &k->events[n];
        bool in = e->time_ms >= from && e->time_ms <= to;
        if (model_is_sample(rule, e) &&
            (in || w->kind == TW_WINDOW_COUNT || w->kind == TW_WINDOW_NONE)) {
            out[count++] = *e;
        }
    }
    if (w->kind == TW_WINDOW_COUNT && prev) {
        count = count > w->last ? count - w->last : 0;
    }
    if (w->kind == TW_WINDOW_COUNT && count > w->last) {
        skip = count - w->last;
    }
    memmove(out, out + skip, (count - skip) * sizeof *out);
    count -= skip;
    for (uint32_t a = 1; a < count && w->kind != TW_WINDOW_COUNT; a++) {
        for (uint32_t b = a; b > 0 && out[b - 1].time_ms > out[b].time_ms; b--) {
            model_event swapped = out[b];
            out[b] = out[b - 1];
            out[b - 1] = swapped;
        }
    }
    return count;
}

static double trend_of(const double *v, const int64_t *t, uint32_t n)
{
    double times = 0, values = 0, both = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        times += (double)(t[i] - t[0]) / n;
        values += v[i] / n;
    }
    for (uint32_t i = 0; i < n; i++) {
        double at = (double)(t[i] - t[0]) - times;
        both += at * (v[i] - values);
        squares += at * at;
    }
    return squares > 0 ? both / squares * 1000 : NAN;
}

static double mean_of(const double *v, const int64_t *t, uint32_t n, double half_life_ms)
{
    double sum = 0, weights = 0;

    for (uint32_t i = 0; i < n; i++) {
        double weight = pow(0.5, (double)(t[n - 1] - t[i]) / half_life_ms);
        sum += weight * v[i];
        weights += weight;
    }
    return sum / weights;
}

static double distinct_of(const double *v, uint32_t n)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = 0;
        while (before < i && v[before] != v[i]) {
            before++;
        }
        count += before == i;
    }
    return count;
}

static double steps_of(tw_agg_kind kind, const double *v, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 1; i < n; i++) {
        bool less = v[i] < v[i - 1];
        sum += kind == TW_AGG_CHANGES  ? v[i] != v[i - 1]
               : kind == TW_AGG_RESETS ? less
                                       : v[i] - (less ? 0 : v[i - 1]);
    }
    return sum;
}

/* Samples by time, in order. False: no value. */
static bool aggregate(const tw_aggregate *agg, const double *v, const int64_t *t,
                      uint32_t n, int64_t span_ms, double *out)
{
    tw_agg_kind kind = agg->kind;
    double sum = 0, least = INFINITY, most = -INFINITY, increase = 0, spread = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += v[i];
        least = fmin(least, v[i]);
        most = fmax(most, v[i]);
        increase += i == 0 ? 0 : v[i] < v[i - 1] ? v[i] : v[i] - v[i - 1];
    }
    for (uint32_t i = 0; i < n; i++) {
        spread += (v[i] - sum / n) * (v[i] - sum / n);
    }
    bool some = n > 0;
    switch (kind) {
    case TW_AGG_COUNT:
        *out = n;
        return true;
    case TW_AGG_SUM:
        *out = sum;
        return true;
    case TW_AGG_AVG:
        *out = sum / n;
        return some;
    case TW_AGG_MIN:
        *out = least;
        return some;
    case TW_AGG_MAX:
        *out = most;
        return some;
    case TW_AGG_FIRST:
        *out = some ? v[0] : 0;
        return some;
    case TW_AGG_LAST:
        *out = some ? v[n - 1] : 0;
        return some;
    case TW_AGG_DELTA:
        *out = some ? v[n - 1] - v[0] : 0;
        return some;
    case TW_AGG_RATE_EVENTS:
        *out = n * 1000.0 / (double)span_ms;
        return some && span_ms != 0;
    case TW_AGG_RATE_COUNTER:
        *out = some ? increase * 1000 / (double)(t[n - 1] - t[0]) : 0;
        return some && t[n - 1] != t[0];
    case TW_AGG_STDDEV:
        *out = sqrt(spread / (n - 1.0));
        return n > 1;
    case TW_AGG_INCREASE:
        *out = steps_of(kind, v, n);
        return n > 1;
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
        *out = steps_of(kind, v, n);
        return some;
    case TW_AGG_ELAPSED:
        *out = n > 1 ? (double)(t[n - 1] - t[n - 2]) / 1000 : 0;
        return n > 1;
    case TW_AGG_TREND:
        *out = trend_of(v, t, n);
        return isfinite(*out);
    case TW_AGG_EWMA:
        *out = some ? mean_of(v, t, n, agg->param) : 0;
        return some;
    case TW_AGG_DISTINCT:
        *out = distinct_of(v, n);
        return true;
    case TW_AGG_LATEST:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        break;
    }
    return false;
}

/* The newest of each kind, summed up. */
static bool latest_of(const tw_aggregate *agg, const model_event *w, uint32_t count,
                      double *out)
{
    const model_event *newest[2] = {NULL, NULL};

    *out = 0;
    for (uint32_t i = 0; i < count; i++) {
        const model_event **slot = &newest[w[i].kind];
        if (takes(agg, &w[i]) && (!*slot || w[i].time_ms >= (*slot)->time_ms)) {
            *slot = &w[i];
        }
    }
    for (uint32_t n = 0; n < 2; n++) {
        *out += newest[n] ? newest[n]->value : 0;
    }
    return true;
}

static bool agg_value(const tw_rule *rule, const tw_aggregate *agg, const model_event *w,
                      uint32_t count, int64_t span_ms, double *out)
{
    double v[MODEL_EVENTS];
    int64_t t[MODEL_EVENTS];
    uint32_t n = 0;

    if (agg->kind == TW_AGG_LATEST) {
        return latest_of(agg, w, count, out);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (takes(agg, &w[i])) {
            /* in place by time also where the window is not */
            uint32_t at = n++;
            for (; at > 0 && t[at - 1] > w[i].time_ms; at--) {
                t[at] = t[at - 1];
                v[at] = v[at - 1];
            }
            t[at] = w[i].time_ms;
            v[at] = agg->fn != TW_NO_FN ? 2 * w[i].value : w[i].value;
        }
    }
    if (rule->level.window.kind == TW_WINDOW_NONE && agg->kind == TW_AGG_LAST && n > 1) {
        v[0] = v[n - 1];
        n = 1;
    }
    return aggregate(agg, v, t, n, span_ms, out);
}

static int64_t span_of(const tw_rule *rule, const model_event *w, uint32_t count)
{
    int64_t least = INT64_MAX, most = INT64_MIN;

    if (rule->level.window.kind != TW_WINDOW_COUNT) {
        return rule->level.window.over_ms;
    }
    for (uint32_t n = 0; n < count; n++) {
        least = w[n].time_ms < least ? w[n].time_ms : least;
        most = w[n].time_ms > most ? w[n].time_ms : most;
    }
    return count > 0 ? most - least : 0;
}

bool model_value(const tw_rule *rule, const model_key *k, int64_t t, double *out)
{
    const tw_level_plan *p = &rule->level;
    model_event w[MODEL_EVENTS], before[MODEL_EVENTS];
    double stack[8];
    uint32_t count = window_at(rule, k, t, false, w), need = p->min_samples,
             samples = count;
    uint32_t earlier = window_at(rule, k, t, true, before);
    bool has = true;

    if (p->window.kind == TW_WINDOW_COUNT) {
        need = need > 0 && need < p->window.last ? need : p->window.last;
    }
    if (p->window.kind == TW_WINDOW_NONE) {
        samples = count > 0;
    }
    const tw_expr *e = &p->values[0];
    for (uint32_t n = 0; n < e->count; n++) {
        const tw_expr_node *node = &e->nodes[n];
        double a = stack[node->left], b = stack[node->right];
        switch (node->op) {
        case TW_EXPR_NUMBER:
            stack[n] = node->number;
            break;
        case TW_EXPR_AGG:
            has = (node->prev ? earlier >= need &&
                                    agg_value(rule, &p->aggs[node->agg], before, earlier,
                                              span_of(rule, before, earlier), &stack[n])
                              : agg_value(rule, &p->aggs[node->agg], w, count,
                                          span_of(rule, w, count), &stack[n])) &&
                  has;
            break;
        case TW_EXPR_MUL:
            stack[n] = a * b;
            break;
        case TW_EXPR_SUB:
            stack[n] = a - b;
            break;
        default:
            has = has && b != 0;
            stack[n] = a / b;
            break;
        }
    }
    *out = stack[e->count - 1];
    return has && samples >= need;
}
