// SPDX-License-Identifier: Apache-2.0
/* The most frequent values of a field, or those with the greatest sums: Space-Saving (Metwally,
 * Agrawal and El Abbadi 2005) with TW_TOPK_COUNTERS counters, exact until more values than
 * that have come. Merging as in Agarwal and others, "Mergeable summaries" (2012): what one
 * of both has forgotten counts with the most it can have been there. Counts are then too
 * high by at most the total / TW_TOPK_COUNTERS, never too low.
 *
 * NULL is an empty one. Thread: one lane; the memory is of the slab. */
#ifndef TW_DETECT_TOPK_H
#define TW_DETECT_TOPK_H

#include "detect/name.h"
#include "flow/script.h"
#include "state/bytes.h"

#define TW_TOPK_COUNTERS 256

typedef struct tw_topk tw_topk;

/* weight: 1, or what is summed; one that is not above zero is left out. */
void tw_topk_add(tw_slab *slab, tw_topk **t, uint64_t hash, tw_value value,
                 double weight);
void tw_topk_merge(tw_slab *slab, tw_topk **t, const tw_topk *other);
/* The first `most` by count, equal ones by value; returns how many there are. Text is
 * borrowed from t. */
uint32_t tw_topk_list(const tw_topk *t, tw_top_item *out, uint32_t most);
bool tw_topk_approx(const tw_topk *t);
void tw_topk_free(tw_slab *slab, tw_topk *t);

void tw_topk_save(const tw_topk *t, tw_buf *out);
/* False when the bytes are not what save wrote; *out is NULL then. */
bool tw_topk_load(tw_slab *slab, tw_state_in *in, tw_topk **out);

#endif
