// SPDX-License-Identifier: Apache-2.0
/* Expressions over aggregates. Pure functions, any thread; own nothing. */
#include "detect/expr.h"

#include <math.h>

#include "base/mem.h"

static inline uint32_t place_of(const tw_expr_node *node)
{
    return node->agg + (node->prev ? TW_PREV_AGGS : 0);
}

static bool node_value(const tw_expr_node *node, const double *aggs, const bool *has,
                       const double *below, const bool *below_has, double *out)
{
    double left = below[node->left], right = below[node->right];
    bool unary = node->op == TW_EXPR_NEG;

    if (node->op == TW_EXPR_NUMBER) {
        *out = node->number;
        return true;
    }
    if (node->op == TW_EXPR_AGG) {
        *out = aggs[place_of(node)];
        return has[place_of(node)];
    }
    if (!below_has[node->left] || (!unary && !below_has[node->right])) {
        return false;
    }
    switch (node->op) {
    case TW_EXPR_ADD:
        *out = left + right;
        break;
    case TW_EXPR_SUB:
        *out = left - right;
        break;
    case TW_EXPR_MUL:
        *out = left * right;
        break;
    case TW_EXPR_DIV:
        *out = right != 0 ? left / right : NAN;
        break;
    case TW_EXPR_NEG:
        *out = -left;
        break;
    case TW_EXPR_NUMBER:
    case TW_EXPR_AGG:
        break;
    }
    return isfinite(*out);
}

bool tw_expr_value(const tw_expr *expr, const double *aggs, const bool *has,
                   double *scratch, bool *scratch_has, double *out)
{
    const tw_expr_node *last = &expr->nodes[expr->count - 1];

    if (last->op == TW_EXPR_AGG) { /* the most common expression */
        *out = aggs[place_of(last)];
        return has[place_of(last)];
    }
    for (uint32_t n = 0; n < expr->count; n++) {
        scratch[n] = 0;
        scratch_has[n] =
            node_value(&expr->nodes[n], aggs, has, scratch, scratch_has, &scratch[n]);
    }
    *out = scratch[expr->count - 1];
    return scratch_has[expr->count - 1];
}

/* ---- trends ---- */

typedef struct trend {
    uint32_t may;     /* TW_TREND_*; 0: a constant */
    bool nonnegative; /* never below zero */
    bool negative;    /* a constant below zero */
    bool zero;        /* the constant zero */
} trend;

enum { BOTH = TW_TREND_RISE | TW_TREND_FALL };

static uint32_t turned(uint32_t may)
{
    return (may & TW_TREND_RISE ? TW_TREND_FALL : 0u) |
           (may & TW_TREND_FALL ? TW_TREND_RISE : 0u);
}

static trend agg_trend(const tw_aggregate *agg)
{
    switch (agg->kind) {
    case TW_AGG_COUNT:
    case TW_AGG_RATE_EVENTS:
    case TW_AGG_CHANGES:
    case TW_AGG_RESETS:
    case TW_AGG_DISTINCT:
        return (trend){.may = TW_TREND_FALL, .nonnegative = true};
    case TW_AGG_MAX:
        return (trend){.may = TW_TREND_FALL};
    case TW_AGG_MIN:
        return (trend){.may = TW_TREND_RISE};
    case TW_AGG_STDDEV:
    case TW_AGG_ELAPSED:
        return (trend){.may = BOTH, .nonnegative = true};
    case TW_AGG_SUM:
    case TW_AGG_AVG:
    case TW_AGG_FIRST:
    case TW_AGG_LAST:
    case TW_AGG_DELTA:
    case TW_AGG_RATE_COUNTER:
    case TW_AGG_INCREASE:
    case TW_AGG_TREND:
    case TW_AGG_EWMA:
    case TW_AGG_LATEST:
    case TW_AGG_QUANTILE:
    case TW_AGG_TOPK:
        break;
    }
    return (trend){.may = BOTH};
}

static trend product_trend(trend a, trend b)
{
    trend t = {.may = BOTH, .nonnegative = a.nonnegative && b.nonnegative};

    if (a.may == 0 && (a.nonnegative || a.negative)) {
        t.may = a.negative ? turned(b.may) : b.may;
    } else if (b.may == 0 && (b.nonnegative || b.negative)) {
        t.may = b.negative ? turned(a.may) : a.may;
    } else if (t.nonnegative) {
        t.may = a.may | b.may;
    }
    return t;
}

static trend quotient_trend(trend a, trend b)
{
    trend t = {.may = BOTH, .nonnegative = a.nonnegative && b.nonnegative};

    if (b.zero) {
        t.may = 0; /* never a value */
    } else if (b.may == 0 && (b.nonnegative || b.negative)) {
        t.may = b.negative ? turned(a.may) : a.may;
    } else if (t.nonnegative && b.may == TW_TREND_FALL) { /* never up from zero */
        t.may = a.may | TW_TREND_RISE;
    }
    return t;
}

static trend node_trend(const tw_expr_node *node, const tw_aggregate *aggs,
                        const trend *below)
{
    trend a = below[node->left], b = below[node->right], t = {.may = BOTH};

    switch (node->op) {
    case TW_EXPR_NUMBER:
        t = (trend){.nonnegative = node->number >= 0,
                    .negative = node->number < 0,
                    .zero = !(node->number < 0) && !(node->number > 0)};
        break;
    case TW_EXPR_AGG:
        t = agg_trend(&aggs[node->agg]);
        t.may = node->prev ? BOTH : t.may; /* what leaves comes in there */
        break;
    case TW_EXPR_ADD:
        t = (trend){.may = a.may | b.may, .nonnegative = a.nonnegative && b.nonnegative};
        break;
    case TW_EXPR_SUB:
        t.may = a.may | turned(b.may);
        break;
    case TW_EXPR_MUL:
        t = product_trend(a, b);
        break;
    case TW_EXPR_DIV:
        t = quotient_trend(a, b);
        break;
    case TW_EXPR_NEG:
        t.may = turned(a.may);
        break;
    }
    return t;
}

uint32_t tw_expr_trend(const tw_expr *expr, const tw_aggregate *aggs)
{
    trend *trends = tw_calloc(expr->count, sizeof *trends);

    for (uint32_t n = 0; n < expr->count; n++) {
        trends[n] = node_trend(&expr->nodes[n], aggs, trends);
    }
    uint32_t may = trends[expr->count - 1].may;
    tw_free(trends);
    return may;
}
