// SPDX-License-Identifier: Apache-2.0
/* Accumulators of numbers. Pure functions, any thread; own nothing. */
#include "detect/acc.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

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
    case TW_AGG_ELAPSED:
        return offsetof(tw_acc, increase);
    case TW_AGG_RATE_COUNTER:
    case TW_AGG_INCREASE:
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
    case TW_AGG_TREND:
        return sizeof(tw_acc);
    case TW_AGG_EWMA:
        return offsetof(tw_acc, last);
    case TW_AGG_LATEST:
    case TW_AGG_DISTINCT:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        return offsetof(tw_acc, m2);
    }
    return sizeof(tw_acc);
}

/* What one sample after another adds. */
static double step_of(tw_agg_kind kind, double from, double to)
{
    if (kind == TW_AGG_CHANGES) {
        return to < from || to > from;
    }
    if (kind == TW_AGG_RESETS) {
        return to < from;
    }
    return to < from ? to : to - from;
}

/* First and last by time; of equal times the one that came first is first, and the one
 * that came last is last. A counter's sample between the two changes nothing. */
static void add_ends(tw_agg_kind kind, tw_acc *acc, double value, int64_t time_ms)
{
    if (acc->n == 0) {
        acc->v = acc->last = value;
        acc->first_ms = acc->last_ms = time_ms;
        if (tw_acc_has_steps(kind)) {
            acc->increase = 0;
        }
        return;
    }
    if (time_ms < acc->first_ms) {
        if (tw_acc_has_steps(kind)) {
            acc->increase += step_of(kind, value, acc->v);
        }
        acc->v = value;
        acc->first_ms = time_ms;
    } else if (time_ms >= acc->last_ms) {
        if (tw_acc_has_steps(kind)) {
            acc->increase += step_of(kind, acc->last, value);
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

/* v: mean of the values; last: of the seconds since first_ms; m2: their co-moment; increase:
 * the second moment of the times. */
static void add_line(tw_acc *acc, double value, int64_t time_ms)
{
    if (acc->n == 0) {
        acc->v = acc->m2 = acc->last = acc->increase = 0;
        acc->first_ms = time_ms;
    }
    double n = (double)acc->n + 1;
    double seconds = (double)(time_ms - acc->first_ms) / 1000;
    double from_old = seconds - acc->last;

    acc->last += from_old / n;
    acc->v += (value - acc->v) / n;
    acc->m2 += from_old * (value - acc->v);
    acc->increase += from_old * (seconds - acc->last);
}

/* The two newest times: last_ms, and first_ms before it. */
static void add_time(tw_acc *acc, int64_t time_ms)
{
    if (acc->n == 0 || time_ms >= acc->last_ms) {
        acc->first_ms = acc->n == 0 ? INT64_MIN : acc->last_ms;
        acc->last_ms = time_ms;
    } else if (time_ms > acc->first_ms) {
        acc->first_ms = time_ms;
    }
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
    case TW_AGG_INCREASE:
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
        add_ends(kind, acc, value, time_ms);
        break;
    case TW_AGG_STDDEV:
        add_spread(acc, value);
        break;
    case TW_AGG_ELAPSED:
        add_time(acc, time_ms);
        break;
    case TW_AGG_TREND:
        add_line(acc, value, time_ms);
        break;
    case TW_AGG_EWMA:
    case TW_AGG_LATEST:
    case TW_AGG_DISTINCT:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        return;
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

static void merge_line(tw_acc *acc, const tw_acc *later)
{
    double a = (double)acc->n, b = (double)later->n;
    double shift = (double)(later->first_ms - acc->first_ms) / 1000;
    double times = later->last + shift - acc->last, values = later->v - acc->v;

    acc->last += times * b / (a + b);
    acc->v += values * b / (a + b);
    acc->m2 += later->m2 + times * values * a * b / (a + b);
    acc->increase += later->increase + times * times * a * b / (a + b);
}

static void merge_times(tw_acc *acc, const tw_acc *later)
{
    acc->first_ms = later->n > 1 ? later->first_ms : acc->last_ms;
    acc->last_ms = later->last_ms;
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
    case TW_AGG_INCREASE:
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
        acc->increase += step_of(kind, acc->last, later->v) + later->increase;
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
    case TW_AGG_ELAPSED:
        merge_times(acc, later);
        break;
    case TW_AGG_TREND:
        merge_line(acc, later);
        break;
    case TW_AGG_EWMA:
    case TW_AGG_LATEST:
    case TW_AGG_DISTINCT:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        return;
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
    case TW_AGG_INCREASE:
        v = acc->n > 1 ? acc->increase : NAN;
        break;
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
        v = acc->increase;
        break;
    case TW_AGG_ELAPSED:
        v = acc->n > 1 ? (double)(acc->last_ms - acc->first_ms) / 1000 : NAN;
        break;
    case TW_AGG_TREND:
        v = quotient(acc->m2, acc->increase);
        break;
    case TW_AGG_EWMA:
    case TW_AGG_LATEST:
    case TW_AGG_DISTINCT:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        break;
    }
    *out = v;
    return isfinite(v);
}
