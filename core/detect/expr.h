// SPDX-License-Identifier: Apache-2.0
/* Expressions over aggregates: evaluation, and what can be said of them beforehand.
 * Pure functions, any thread. */
#ifndef TW_DETECT_EXPR_H
#define TW_DETECT_EXPR_H

#include "flow/plan.h"

/* What may happen to a value when samples leave a window and none comes. A value that may
 * appear out of nothing counts as both. */
enum { TW_TREND_RISE = 1, TW_TREND_FALL = 2 };

/* Of the window before, an aggregate's value stands so many places behind. */
#define TW_PREV_AGGS 64

/* aggs, has: by aggregate number. scratch, scratch_has: expr->count of each. False: no
 * value (an operand has none, a division by zero, or beyond the range of doubles). */
bool tw_expr_value(const tw_expr *expr, const double *aggs, const bool *has,
                   double *scratch, bool *scratch_has, double *out);

uint32_t tw_expr_trend(const tw_expr *expr, const tw_aggregate *aggs);

#endif
