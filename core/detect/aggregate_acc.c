// SPDX-License-Identifier: Apache-2.0
/* Accumulators of any kind. One lane's thread; what is behind acc->sketch is of the slab. */
#include <math.h>
#include <string.h>

#include "detect/aggregate.h"
#include "detect/ddsketch.h"
#include "detect/distinct.h"
#include "detect/latest.h"
#include "detect/topk.h"

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

static uint64_t hash_of(uint8_t column, const tw_sample *s)
{
    uint64_t hash;

    memcpy(&hash, &s->values[column], sizeof hash);
    return hash;
}

tw_agg_arg tw_agg_arg_of(const tw_aggs *a, uint32_t agg, const tw_sample *s)
{
    uint8_t first = a->column[agg], second = a->column2[agg];
    tw_agg_arg arg = {.value = column_of(first, s)};

    if (a->list[agg].kind == TW_AGG_DISTINCT) {
        arg.hash = hash_of(first, s);
    } else if (a->list[agg].kind == TW_AGG_LATEST) {
        arg.hash = hash_of(second, s);
    } else if (a->list[agg].kind == TW_AGG_TOPK) {
        arg.hash = hash_of(first, s);
        arg.name = &s->names[first];
        arg.value = second == TW_NO_COLUMN ? 1 : s->values[second];
    }
    return arg;
}

void tw_agg_add(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                const tw_agg_arg *arg, int64_t time_ms)
{
    const tw_aggregate *plan = &a->list[agg];

    if (plan->kind == TW_AGG_EWMA) {
        ewma_add(acc, arg->value, 1, time_ms, plan->param);
    } else if (plan->kind == TW_AGG_LATEST) {
        tw_latest_add(slab, (tw_latest **)&acc->sketch, arg->hash, arg->value, time_ms);
    } else if (plan->kind == TW_AGG_DISTINCT) {
        tw_distinct_add(slab, (tw_distinct **)&acc->sketch, arg->hash);
    } else if (plan->kind == TW_AGG_QUANTILE) {
        tw_ddsketch_add(slab, (tw_ddsketch **)&acc->sketch, arg->value);
    } else if (plan->kind == TW_AGG_TOPK) {
        tw_topk_add(slab, (tw_topk **)&acc->sketch, arg->hash, *arg->name, arg->value);
    } else {
        tw_acc_add(plan->kind, acc, arg->value, time_ms);
        return;
    }
    acc->n++;
}

void tw_agg_merge(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                  const tw_acc *later)
{
    const tw_aggregate *plan = &a->list[agg];

    if (!(a->heavy >> agg & 1)) {
        tw_acc_merge(plan->kind, acc, later);
        return;
    }
    if (later->n == 0) {
        return;
    }
    if (plan->kind == TW_AGG_EWMA) {
        ewma_add(acc, later->v, later->m2, later->first_ms, plan->param);
    } else if (plan->kind == TW_AGG_LATEST) {
        tw_latest_merge(slab, (tw_latest **)&acc->sketch, later->sketch);
    } else if (plan->kind == TW_AGG_DISTINCT) {
        tw_distinct_merge(slab, (tw_distinct **)&acc->sketch, later->sketch);
    } else if (plan->kind == TW_AGG_QUANTILE) {
        tw_ddsketch_merge(slab, (tw_ddsketch **)&acc->sketch, later->sketch);
    } else {
        tw_topk_merge(slab, (tw_topk **)&acc->sketch, later->sketch);
    }
    acc->n += later->n;
}

/* As a number: how many times the first of the list has come. */
static bool top_value(const tw_topk *t, double *out)
{
    tw_top_item first;
    uint32_t count = tw_topk_list(t, &first, 1);

    *out = count > 0 ? first.count : 0;
    return count > 0;
}

bool tw_agg_value(const tw_aggs *a, uint32_t agg, const tw_acc *acc, int64_t span_ms,
                  double *out)
{
    const tw_aggregate *plan = &a->list[agg];
    bool has = acc->n > 0;

    switch (plan->kind) {
    case TW_AGG_EWMA:
        *out = has ? acc->v / acc->m2 : NAN;
        return isfinite(*out);
    case TW_AGG_LATEST:
        return tw_latest_fold(acc->sketch, plan->fold, out);
    case TW_AGG_DISTINCT:
        *out = tw_distinct_count(acc->sketch);
        return true;
    case TW_AGG_QUANTILE:
        return tw_ddsketch_quantile(acc->sketch, plan->param, out);
    case TW_AGG_TOPK:
        return top_value(acc->sketch, out);
    default: /* the numbers have their own list of all kinds */
        return tw_acc_value(plan->kind, acc, span_ms, out);
    }
}

bool tw_agg_approx(const tw_aggs *a, uint32_t agg, const tw_acc *acc)
{
    tw_agg_kind kind = a->list[agg].kind;

    return (kind == TW_AGG_LATEST && tw_latest_approx(acc->sketch)) ||
           (kind == TW_AGG_DISTINCT && tw_distinct_approx(acc->sketch)) ||
           (kind == TW_AGG_TOPK && tw_topk_approx(acc->sketch));
}

void tw_agg_clear(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc)
{
    tw_agg_kind kind = a->list[agg].kind;

    if (kind == TW_AGG_LATEST) {
        tw_latest_free(slab, acc->sketch);
    } else if (kind == TW_AGG_DISTINCT) {
        tw_distinct_free(slab, acc->sketch);
    } else if (kind == TW_AGG_QUANTILE) {
        tw_ddsketch_free(slab, acc->sketch);
    } else if (kind == TW_AGG_TOPK) {
        tw_topk_free(slab, acc->sketch);
    }
    memset(acc, 0, tw_acc_bytes(kind));
}

/* ---- bytes ---- */

static void sketch_save(tw_agg_kind kind, const tw_acc *acc, tw_buf *out)
{
    if (kind == TW_AGG_LATEST) {
        tw_latest_save(acc->sketch, out);
    } else if (kind == TW_AGG_DISTINCT) {
        tw_distinct_save(acc->sketch, out);
    } else if (kind == TW_AGG_QUANTILE) {
        tw_ddsketch_save(acc->sketch, out);
    } else {
        tw_topk_save(acc->sketch, out);
    }
}

static bool sketch_load(tw_agg_kind kind, tw_slab *slab, tw_state_in *in, tw_acc *acc)
{
    if (kind == TW_AGG_LATEST) {
        return tw_latest_load(slab, in, (tw_latest **)&acc->sketch);
    }
    if (kind == TW_AGG_DISTINCT) {
        return tw_distinct_load(slab, in, (tw_distinct **)&acc->sketch);
    }
    if (kind == TW_AGG_QUANTILE) {
        return tw_ddsketch_load(slab, in, (tw_ddsketch **)&acc->sketch);
    }
    return tw_topk_load(slab, in, (tw_topk **)&acc->sketch);
}

void tw_agg_save(const tw_aggs *a, uint32_t agg, const tw_acc *acc, tw_buf *out)
{
    tw_agg_kind kind = a->list[agg].kind;
    size_t bytes = tw_acc_bytes(kind);

    tw_state_put_u64(out, acc->n);
    if (acc->n == 0) {
        return;
    }
    if (a->heavy >> agg & 1 && kind != TW_AGG_EWMA) {
        sketch_save(kind, acc, out);
    } else {
        (void)tw_buf_add(out, (const char *)acc + sizeof acc->n, bytes - sizeof acc->n);
    }
}

bool tw_agg_load(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_state_in *in,
                 tw_acc *acc)
{
    tw_agg_kind kind = a->list[agg].kind;
    size_t bytes = tw_acc_bytes(kind) - sizeof acc->n;

    memset(acc, 0, tw_acc_bytes(kind));
    if (!tw_state_take_u64(in, &acc->n) || acc->n == 0) {
        return !in->broken;
    }
    if (a->heavy >> agg & 1 && kind != TW_AGG_EWMA) {
        return sketch_load(kind, slab, in, acc);
    }
    if ((size_t)(in->end - in->at) < bytes) {
        return false;
    }
    memcpy((char *)acc + sizeof acc->n, in->at, bytes);
    in->at += bytes;
    return true;
}
