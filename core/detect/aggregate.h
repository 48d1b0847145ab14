// SPDX-License-Identifier: Apache-2.0
/* Aggregates: what an event brings to each of them, and what a set of events comes to.
 *
 * An event becomes a sample: which aggregates take it (their input, narrowing matcher and
 * value all agree), and its values in columns. Aggregates of one input that read the same
 * field or mapper share a column. A value that is absent, not a number or not finite is
 * not taken.
 *
 * What is kept of many samples is an accumulator; two of them merge when one's samples all
 * lie behind the other's. Standard deviation: Welford's update, and the pairwise merge of
 * Chan, Golub and LeVeque (1979). Counters: a value lower than the one before is a reset,
 * after which it counted from zero.
 *
 * Thread: one lane. Immutable once made; borrows the rule. */
#ifndef TW_DETECT_AGGREGATE_H
#define TW_DETECT_AGGREGATE_H

#include "flow/plan.h"
#include "flow/script.h"

#define TW_MAX_AGGS 64
#define TW_NO_COLUMN UINT8_MAX

typedef struct tw_sample {
    uint64_t taken;             /* bit a: aggregate a takes it */
    double values[TW_MAX_AGGS]; /* by column */
} tw_sample;

typedef struct tw_agg_input {
    uint64_t reads;  /* aggregates on this input */
    uint64_t always; /* those that take every event of it */
} tw_agg_input;

typedef struct tw_aggs {
    const tw_aggregate *list;
    uint32_t count;
    tw_agg_input *inputs;
    uint32_t columns; /* of the input with the most */
    uint32_t
        mask_bytes; /* to store `taken`; 0: every sample that is stored has them all */
    uint64_t all;
    uint8_t column[TW_MAX_AGGS]; /* by aggregate; TW_NO_COLUMN: needs no value */
} tw_aggs;

/* TW_ELIMIT with more than TW_MAX_AGGS. */
int tw_aggs_init(tw_aggs *a, const tw_rule *rule, tw_err *err);
void tw_aggs_done(tw_aggs *a);
void tw_aggs_sample(const tw_aggs *a, tw_script *script, uint32_t input,
                    const tw_event *ev, tw_sample *out);

/* Each kind uses the first tw_acc_bytes of it; zeroed is empty. */
typedef struct tw_acc {
    uint64_t n;
    double v;         /* sum, extreme, mean, or the first value by time */
    double m2;        /* sum of squared distances from the mean */
    int64_t first_ms; /* LAST: the last one's */
    double last;
    int64_t last_ms;
    double increase;
} tw_acc;

size_t tw_acc_bytes(tw_agg_kind kind); /* a multiple of 8 */
/* time_ms only matters to kinds that ask for first or last. */
void tw_acc_add(tw_agg_kind kind, tw_acc *acc, double value, int64_t time_ms);
/* later: an accumulator of samples none of which is older than those of acc. */
void tw_acc_merge(tw_agg_kind kind, tw_acc *acc, const tw_acc *later);
/* False: no value. span_ms: what RATE_EVENTS divides by. */
bool tw_acc_value(tw_agg_kind kind, const tw_acc *acc, int64_t span_ms, double *out);

#endif
