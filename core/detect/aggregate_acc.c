// SPDX-License-Identifier: Apache-2.0
/* Accumulators of any kind. One lane's thread; what is behind acc->sketch is of the slab. */
#include <math.h>
#include <string.h>

#include "detect/aggregate.h"

/* ---- ewma: sum of weighted values (v) over sum of weights (m2), both as of first_ms ---- */

static double weight_of(int64_t age_ms, double half_life_ms)
{
    return exp2(-(double)age_ms / half_life_ms);
}

static void ewma_add(tw_acc *acc, double value, double weight, int64_t time_ms,
                     double half_life_ms)
{
    if (acc->n == 0) {
        acc->v = acc->m2 = 0;
        acc->first_ms = time_ms;
    }
    if (time_ms > acc->first_ms) {
        double fade = weight_of(time_ms - acc->first_ms, half_life_ms);
        acc->v *= fade;
        acc->m2 *= fade;
        acc->first_ms = time_ms;
    }
    double fade = weight_of(acc->first_ms - time_ms, half_life_ms);
    acc->v += value * fade;
    acc->m2 += weight * fade;
}

/* ---- any kind ---- */

static double column_of(uint8_t column, const tw_sample *s)
{
    return column == TW_NO_COLUMN ? 0 : s->values[column];
}

tw_agg_arg tw_agg_arg_of(const tw_aggs *a, uint32_t agg, const tw_sample *s)
{
    return (tw_agg_arg){.value = column_of(a->column[agg], s)};
}

void tw_agg_add(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                const tw_agg_arg *arg, int64_t time_ms)
{
    const tw_aggregate *plan = &a->list[agg];

    (void)slab;
    if (plan->kind != TW_AGG_EWMA) {
        tw_acc_add(plan->kind, acc, arg->value, time_ms);
        return;
    }
    ewma_add(acc, arg->value, 1, time_ms, plan->param);
    acc->n++;
}

void tw_agg_merge(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                  const tw_acc *later)
{
    const tw_aggregate *plan = &a->list[agg];

    (void)slab;
    if (plan->kind != TW_AGG_EWMA) {
        tw_acc_merge(plan->kind, acc, later);
    } else if (later->n > 0) {
        ewma_add(acc, later->v, later->m2, later->first_ms, plan->param);
        acc->n += later->n;
    }
}

bool tw_agg_value(const tw_aggs *a, uint32_t agg, const tw_acc *acc, int64_t span_ms,
                  double *out)
{
    tw_agg_kind kind = a->list[agg].kind;

    if (kind != TW_AGG_EWMA) {
        return tw_acc_value(kind, acc, span_ms, out);
    }
    *out = acc->n > 0 ? acc->v / acc->m2 : NAN;
    return isfinite(*out);
}

void tw_agg_clear(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc)
{
    (void)slab;
    memset(acc, 0, tw_acc_bytes(a->list[agg].kind));
}
