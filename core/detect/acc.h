// SPDX-License-Identifier: Apache-2.0
/* An accumulator: what is kept of many samples of one aggregate. Two of them merge when one's
 * samples all lie behind the other's.
 *
 * Standard deviation and trend: Welford's update, and the pairwise merge of Chan, Golub and
 * LeVeque (1979). Counters: a value lower than the one before is a reset, after which it
 * counted from zero. The functions here do kinds that are numbers and take no parameter;
 * the others (tw_agg_add and so on in aggregate.h) keep a sketch behind the pointer.
 *
 * Pure functions, any thread. */
#ifndef TW_DETECT_ACC_H
#define TW_DETECT_ACC_H

#include "flow/plan.h"

/* Each kind uses the first tw_acc_bytes of it; zeroed is empty. */
typedef struct tw_acc {
    uint64_t n;
    union {
        double v; /* sum, extreme, mean, or the first value by time */
        void *sketch;
    };
    double m2;        /* sum of squared distances from the mean */
    int64_t first_ms; /* LAST: the last one's */
    double last;
    int64_t last_ms;
    double increase;
} tw_acc;

size_t tw_acc_bytes(tw_agg_kind kind); /* a multiple of 8 */
/* time_ms only matters to kinds that ask for times. */
void tw_acc_add(tw_agg_kind kind, tw_acc *acc, double value, int64_t time_ms);
/* later: an accumulator of samples none of which is older than those of acc. */
void tw_acc_merge(tw_agg_kind kind, tw_acc *acc, const tw_acc *later);
/* False: no value. span_ms: what RATE_EVENTS divides by. */
bool tw_acc_value(tw_agg_kind kind, const tw_acc *acc, int64_t span_ms, double *out);

/* Kinds that add up what lies between neighbours: a sample between two others cannot join. */
static inline bool tw_acc_has_steps(tw_agg_kind kind)
{
    return kind == TW_AGG_RATE_COUNTER || kind == TW_AGG_INCREASE ||
           kind == TW_AGG_CHANGES || kind == TW_AGG_RESETS;
}

#endif
