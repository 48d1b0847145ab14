// SPDX-License-Identifier: Apache-2.0
/* Samples and accumulators. One lane's thread; the set owns its table of inputs.
 * Invariant: a column number means one source (field or mapper) of one input, so an entry,
 * which is of one input, never has two meanings for a column. */
#include "detect/aggregate.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/* ---- the set of a rule ---- */

static bool needs_column(const tw_aggregate *agg)
{
    return agg->has_field || agg->fn != TW_NO_FN;
}

static bool same_source(const tw_aggregate *a, const tw_aggregate *b)
{
    return a->input == b->input && a->fn == b->fn && a->has_field == b->has_field &&
           (!a->has_field || a->slot == b->slot) &&
           (a->kind == TW_AGG_COUNT) == (b->kind == TW_AGG_COUNT);
}

/* The column of an earlier aggregate with the same source, else the input's next. */
static uint8_t column_for(const tw_aggs *a, uint32_t number)
{
    uint8_t next = 0;

    for (uint32_t n = 0; n < number; n++) {
        if (a->column[n] == TW_NO_COLUMN || a->list[n].input != a->list[number].input) {
            continue;
        }
        if (same_source(&a->list[n], &a->list[number])) {
            return a->column[n];
        }
        next = a->column[n] >= next ? (uint8_t)(a->column[n] + 1) : next;
    }
    return next;
}

static uint32_t bytes_for(uint32_t bits)
{
    uint32_t bytes = 1;

    while (bytes * 8 < bits) {
        bytes *= 2;
    }
    return bytes;
}

int tw_aggs_init(tw_aggs *a, const tw_rule *rule, tw_err *err)
{
    const tw_level_plan *plan = &rule->level;
    bool uniform = true;

    *a = (tw_aggs){.list = plan->aggs, .count = plan->agg_count};
    if (a->count > TW_MAX_AGGS) {
        return tw_err_at(err, TW_ELIMIT, rule->file, rule->line, 0,
                         "%s: %u aggregates, more than %d", rule->name, a->count,
                         TW_MAX_AGGS);
    }
    a->inputs = tw_calloc(rule->input_count + 1, sizeof *a->inputs);
    for (uint32_t n = 0; n < a->count; n++) {
        const tw_aggregate *agg = &a->list[n];
        uint64_t bit = 1ull << n;
        a->all |= bit;
        a->inputs[agg->input].reads |= bit;
        a->column[n] = needs_column(agg) ? column_for(a, n) : TW_NO_COLUMN;
        if (a->column[n] != TW_NO_COLUMN && a->column[n] >= a->columns) {
            a->columns = a->column[n] + 1u;
        }
        if (!agg->match && !needs_column(agg)) {
            a->inputs[agg->input].always |= bit;
        }
        uniform = uniform && agg->input == a->list[0].input && !agg->match &&
                  !needs_column(agg);
    }
    a->mask_bytes = uniform ? 0 : bytes_for(a->count);
    return TW_OK;
}

void tw_aggs_done(tw_aggs *a)
{
    tw_free(a->inputs);
    a->inputs = NULL;
}

static bool read_source(const tw_aggregate *agg, tw_script *script, const tw_event *ev,
                        double *out)
{
    bool has = false;

    if (agg->fn != TW_NO_FN) {
        has = script->cls->map_event(script, agg->fn, ev, out, &has) == 0 && has;
    } else if (agg->kind == TW_AGG_COUNT) { /* of events that have the field */
        tw_value v = tw_event_slot(ev, agg->slot);
        *out = 1;
        return v.type != TW_ABSENT && v.type != TW_NULL;
    } else {
        has = tw_value_number(tw_event_slot(ev, agg->slot), out);
    }
    return has && isfinite(*out);
}

void tw_aggs_sample(const tw_aggs *a, tw_script *script, uint32_t input,
                    const tw_event *ev, tw_sample *out)
{
    uint64_t rest = a->inputs[input].reads & ~a->inputs[input].always;
    uint64_t read = 0, there = 0; /* columns looked at, and found */

    out->taken = a->inputs[input].always;
    for (uint32_t n = 0; n < a->columns; n++) {
        out->values[n] = 0;
    }
    for (; rest != 0; rest &= rest - 1) {
        uint32_t n = (uint32_t)__builtin_ctzll(rest);
        const tw_aggregate *agg = &a->list[n];
        if (!tw_match_table_holds(agg->match, ev)) {
            continue;
        }
        if (a->column[n] == TW_NO_COLUMN) {
            out->taken |= 1ull << n;
            continue;
        }
        uint64_t column = 1ull << a->column[n];
        if (!(read & column)) {
            read |= column;
            if (read_source(agg, script, ev, &out->values[a->column[n]])) {
                there |= column;
            }
        }
        if (there & column) {
            out->taken |= 1ull << n;
        }
    }
}

/* ---- accumulators ---- */

size_t tw_acc_bytes(tw_agg_kind kind)
{
    switch (kind) {
    case TW_AGG_COUNT:
    case TW_AGG_RATE_EVENTS:
        return offsetof(tw_acc, v);
    case TW_AGG_SUM:
    case TW_AGG_AVG:
    case TW_AGG_MIN:
    case TW_AGG_MAX:
        return offsetof(tw_acc, m2);
    case TW_AGG_STDDEV:
        return offsetof(tw_acc, first_ms);
    case TW_AGG_FIRST:
    case TW_AGG_LAST:
        return offsetof(tw_acc, last);
    case TW_AGG_DELTA:
        return offsetof(tw_acc, increase);
    case TW_AGG_RATE_COUNTER:
        return sizeof(tw_acc);
    }
    return sizeof(tw_acc);
}

static double counter_step(double from, double to)
{
    return to < from ? to : to - from;
}

/* First and last by time; of equal times the one that came first is first, and the one
 * that came last is last. A counter's sample between the two changes nothing. */
static void add_ends(tw_agg_kind kind, tw_acc *acc, double value, int64_t time_ms)
{
    if (acc->n == 0) {
        acc->v = acc->last = value;
        acc->first_ms = acc->last_ms = time_ms;
        if (kind == TW_AGG_RATE_COUNTER) {
            acc->increase = 0;
        }
        return;
    }
    if (time_ms < acc->first_ms) {
        if (kind == TW_AGG_RATE_COUNTER) {
            acc->increase += counter_step(value, acc->v);
        }
        acc->v = value;
        acc->first_ms = time_ms;
    } else if (time_ms >= acc->last_ms) {
        if (kind == TW_AGG_RATE_COUNTER) {
            acc->increase += counter_step(acc->last, value);
        }
        acc->last = value;
        acc->last_ms = time_ms;
    }
}

static void add_spread(tw_acc *acc, double value)
{
    double n = (double)acc->n + 1;
    double from_old = value - acc->v;

    acc->v += from_old / n;
    acc->m2 += from_old * (value - acc->v);
}

void tw_acc_add(tw_agg_kind kind, tw_acc *acc, double value, int64_t time_ms)
{
    bool first = acc->n == 0;

    switch (kind) {
    case TW_AGG_COUNT:
    case TW_AGG_RATE_EVENTS:
        break;
    case TW_AGG_SUM:
    case TW_AGG_AVG:
        acc->v += value;
        break;
    case TW_AGG_MIN:
        acc->v = first || value < acc->v ? value : acc->v;
        break;
    case TW_AGG_MAX:
        acc->v = first || value > acc->v ? value : acc->v;
        break;
    case TW_AGG_FIRST:
        if (first || time_ms < acc->first_ms) {
            acc->v = value;
            acc->first_ms = time_ms;
        }
        break;
    case TW_AGG_LAST:
        if (first || time_ms >= acc->first_ms) {
            acc->v = value;
            acc->first_ms = time_ms;
        }
        break;
    case TW_AGG_DELTA:
    case TW_AGG_RATE_COUNTER:
        add_ends(kind, acc, value, time_ms);
        break;
    case TW_AGG_STDDEV:
        add_spread(acc, value);
        break;
    }
    acc->n++;
}

static void merge_spread(tw_acc *acc, const tw_acc *later)
{
    double a = (double)acc->n, b = (double)later->n;
    double between = later->v - acc->v;

    acc->v += between * b / (a + b);
    acc->m2 += later->m2 + between * between * a * b / (a + b);
}

void tw_acc_merge(tw_agg_kind kind, tw_acc *acc, const tw_acc *later)
{
    if (later->n == 0) {
        return;
    }
    if (acc->n == 0) {
        memcpy(acc, later, tw_acc_bytes(kind));
        return;
    }
    switch (kind) {
    case TW_AGG_COUNT:
    case TW_AGG_RATE_EVENTS:
    case TW_AGG_FIRST:
        break;
    case TW_AGG_SUM:
    case TW_AGG_AVG:
        acc->v += later->v;
        break;
    case TW_AGG_MIN:
        acc->v = later->v < acc->v ? later->v : acc->v;
        break;
    case TW_AGG_MAX:
        acc->v = later->v > acc->v ? later->v : acc->v;
        break;
    case TW_AGG_LAST:
        acc->v = later->v;
        acc->first_ms = later->first_ms;
        break;
    case TW_AGG_RATE_COUNTER:
        acc->increase += counter_step(acc->last, later->v) + later->increase;
        acc->last = later->last;
        acc->last_ms = later->last_ms;
        break;
    case TW_AGG_DELTA:
        acc->last = later->last;
        acc->last_ms = later->last_ms;
        break;
    case TW_AGG_STDDEV:
        merge_spread(acc, later);
        break;
    }
    acc->n += later->n;
}

static double quotient(double a, double b)
{
    return b != 0 ? a / b : NAN;
}

bool tw_acc_value(tw_agg_kind kind, const tw_acc *acc, int64_t span_ms, double *out)
{
    double n = (double)acc->n, v = NAN;

    if (acc->n == 0) {
        *out = 0;
        return kind == TW_AGG_COUNT || kind == TW_AGG_SUM;
    }
    switch (kind) {
    case TW_AGG_COUNT:
        v = n;
        break;
    case TW_AGG_RATE_EVENTS:
        v = quotient(n * 1000, (double)span_ms);
        break;
    case TW_AGG_SUM:
    case TW_AGG_MIN:
    case TW_AGG_MAX:
    case TW_AGG_FIRST:
    case TW_AGG_LAST:
        v = acc->v;
        break;
    case TW_AGG_AVG:
        v = acc->v / n;
        break;
    case TW_AGG_DELTA:
        v = acc->last - acc->v;
        break;
    case TW_AGG_RATE_COUNTER:
        v = quotient(acc->increase * 1000, (double)(acc->last_ms - acc->first_ms));
        break;
    case TW_AGG_STDDEV:
        v = acc->n > 1 ? sqrt(acc->m2 / (n - 1)) : NAN;
        break;
    }
    *out = v;
    return isfinite(v);
}
