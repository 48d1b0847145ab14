// SPDX-License-Identifier: Apache-2.0
/* A value that is told apart from others and may be shown later: its hash, and a copy of it.
 * Text is kept up to TW_MAX_NAME bytes, so an event cannot size what a key holds; longer ones
 * that begin alike are then one. Pure functions but for the slab; one lane's thread. */
#ifndef TW_DETECT_NAME_H
#define TW_DETECT_NAME_H

#include "base/mem.h"
#include "flow/value.h"

#define TW_MAX_NAME 256

typedef struct tw_name {
    uint64_t hash;
    uint32_t bytes; /* of the block */
    tw_value value; /* text lies behind */
} tw_name;

/* Equal values hash alike (5 and 5.0 too), on every machine and run. */
uint64_t tw_name_hash(tw_value v);
/* Cut at a character to what a name keeps. */
tw_value tw_name_cut(tw_value v);
/* v as tw_name_cut gave it. Owned by the caller, until it gives it back to the same slab. */
tw_name *tw_name_new(tw_slab *slab, uint64_t hash, tw_value v);
void tw_name_give(tw_slab *slab, tw_name *name); /* NULL is fine */

#endif
