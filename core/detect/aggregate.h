// SPDX-License-Identifier: Apache-2.0
/* Aggregates: what an event brings to each of them, and what a set of events comes to.
 *
 * An event becomes a sample: which aggregates take it (their input, narrowing matcher and
 * value all agree), and its values in columns. Aggregates of one input that read the same
 * field or mapper share a column. A value that is absent, not a number or not finite is
 * not taken.
 *
 * What is kept of many samples is an accumulator (acc.h). Kinds that are more than a number
 * or take a parameter are `heavy`: they go through tw_agg_*, the others straight to tw_acc_*.
 *
 * Thread: one lane. Immutable once made; borrows the rule. */
#ifndef TW_DETECT_AGGREGATE_H
#define TW_DETECT_AGGREGATE_H

#include "base/mem.h"
#include "detect/acc.h"
#include "detect/name.h"
#include "flow/script.h"
#include "state/bytes.h"

#define TW_MAX_AGGS 64
#define TW_NO_COLUMN UINT8_MAX

typedef struct tw_sample {
    uint64_t taken;              /* bit a: aggregate a takes it */
    double values[TW_MAX_AGGS];  /* by column; of text the bits of its hash */
    tw_value names[TW_MAX_AGGS]; /* by column of `named`: borrowed; ABSENT: none */
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
    uint64_t heavy;               /* aggregates that go through tw_agg_* */
    uint64_t steps;               /* those of tw_acc_has_steps */
    uint64_t plain;               /* counts of all entries that are stored */
    uint64_t named;               /* columns that hold a name, of whatever input */
    uint8_t column[TW_MAX_AGGS];  /* by aggregate; TW_NO_COLUMN: needs no value */
    uint8_t column2[TW_MAX_AGGS]; /* its second */
} tw_aggs;

/* TW_ELIMIT with more than TW_MAX_AGGS. */
int tw_aggs_init(tw_aggs *a, const tw_rule *rule, tw_err *err);
void tw_aggs_done(tw_aggs *a);
void tw_aggs_read(const tw_aggs *a, tw_script *script, uint32_t input, const tw_event *ev,
                  tw_sample *out);
static inline void tw_aggs_sample(const tw_aggs *a, tw_script *script, uint32_t input,
                                  const tw_event *ev, tw_sample *out)
{
    const tw_agg_input *in = &a->inputs[input];

    if (a->columns == 0 && in->reads == in->always) { /* nothing has to be looked at */
        out->taken = in->always;
    } else {
        tw_aggs_read(a, script, input, ev, out);
    }
}

/* Where each aggregate of `fresh` was among those of `old`, a version of the same rule, or -1. Returns how many
 * were there. */
uint32_t tw_aggs_found(const tw_rule *fresh, const tw_rule *old, int *out_from);
/* How many of old's are not there any more. */
uint32_t tw_aggs_gone(const tw_rule *fresh, const tw_rule *old);

/* What a sample brings to one aggregate of `heavy`. */
typedef struct tw_agg_arg {
    double value;
    uint64_t hash; /* DISTINCT: of the value; LATEST: of the sub-key; TOPK: of name */
    const tw_value *name; /* TOPK */
} tw_agg_arg;

tw_agg_arg tw_agg_arg_of(const tw_aggs *a, uint32_t agg, const tw_sample *s);

/* As tw_acc_* (acc.h), for any aggregate. What lies behind acc->sketch is of the slab. */
void tw_agg_add(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                const tw_agg_arg *arg, int64_t time_ms);
void tw_agg_merge(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc,
                  const tw_acc *later);
bool tw_agg_value(const tw_aggs *a, uint32_t agg, const tw_acc *acc, int64_t span_ms,
                  double *out);
/* Its value is near the true one: more came than is kept apart. */
bool tw_agg_approx(const tw_aggs *a, uint32_t agg, const tw_acc *acc);
/* Gives back what it owns; then it is empty. */
void tw_agg_clear(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_acc *acc);

void tw_agg_save(const tw_aggs *a, uint32_t agg, const tw_acc *acc, tw_buf *out);
/* False when the bytes are not what save wrote. acc may hold something even then. */
bool tw_agg_load(const tw_aggs *a, tw_slab *slab, uint32_t agg, tw_state_in *in,
                 tw_acc *acc);

#endif
