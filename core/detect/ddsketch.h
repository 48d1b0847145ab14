// SPDX-License-Identifier: Apache-2.0
/* Quantiles with a relative error of at most TW_DDSKETCH_ERROR: DDSketch (Masson, Rim and Lee
 * 2019). A value falls into the bucket of its logarithm; a quantile is the middle of the
 * bucket that holds the sample of rank q * (n - 1). At most TW_DDSKETCH_BUCKETS of either
 * sign: beyond that (some 18 orders of magnitude) those nearest to zero fall together.
 *
 * NULL is an empty one. Thread: one lane; the memory is of the slab. */
#ifndef TW_DETECT_DDSKETCH_H
#define TW_DETECT_DDSKETCH_H

#include "base/mem.h"
#include "state/bytes.h"

#define TW_DDSKETCH_ERROR 0.0099
#define TW_DDSKETCH_BUCKETS 2048

typedef struct tw_ddsketch tw_ddsketch;

void tw_ddsketch_add(tw_slab *slab, tw_ddsketch **d, double value);
void tw_ddsketch_merge(tw_slab *slab, tw_ddsketch **d, const tw_ddsketch *other);
/* False: it is empty. q from 0 to 1. */
bool tw_ddsketch_quantile(const tw_ddsketch *d, double q, double *out);
void tw_ddsketch_free(tw_slab *slab, tw_ddsketch *d);

void tw_ddsketch_save(const tw_ddsketch *d, tw_buf *out);
/* False when the bytes are not what save wrote; *out is NULL then. */
bool tw_ddsketch_load(tw_slab *slab, tw_state_in *in, tw_ddsketch **out);

#endif
