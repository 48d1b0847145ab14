// SPDX-License-Identifier: Apache-2.0
/* The newest sample of each sub-key, folded to one number. At most TW_LATEST_KEYS sub-keys:
 * beyond that the one that is silent for longest goes, and the value is approximate.
 *
 * NULL is an empty one. Thread: one lane; the memory is of the slab. */
#ifndef TW_DETECT_LATEST_H
#define TW_DETECT_LATEST_H

#include "base/mem.h"
#include "flow/plan.h"
#include "state/bytes.h"

#define TW_LATEST_KEYS 1024

typedef struct tw_latest tw_latest;

/* An older sample of a sub-key changes nothing; of two at one time the second counts. */
void tw_latest_add(tw_slab *slab, tw_latest **l, uint64_t sub_key, double value,
                   int64_t time_ms);
void tw_latest_merge(tw_slab *slab, tw_latest **l, const tw_latest *later);
/* fold: SUM, AVG, MIN, MAX or COUNT. False: no value. */
bool tw_latest_fold(const tw_latest *l, tw_agg_kind fold, double *out);
bool tw_latest_approx(const tw_latest *l);
void tw_latest_free(tw_slab *slab, tw_latest *l);

void tw_latest_save(const tw_latest *l, tw_buf *out);
/* False when the bytes are not what save wrote; *out is NULL then. */
bool tw_latest_load(tw_slab *slab, tw_state_in *in, tw_latest **out);

#endif
