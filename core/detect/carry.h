// SPDX-License-Identifier: Apache-2.0
/* Fields of an event that a key keeps because templates read them later. One block of the
 * slab: the values, then their text. Text beyond TW_MAX_CARRIED_TEXT is cut at a character
 * (JSON and huge numbers are left out instead), so an event cannot size what a key holds.
 * Thread: one lane; the owner gives a block back to the slab it came from. */
#ifndef TW_DETECT_CARRY_H
#define TW_DETECT_CARRY_H

#include "base/mem.h"
#include "flow/event.h"

#define TW_MAX_CARRIED_TEXT 4096

typedef struct tw_carried {
    uint32_t bytes; /* of the block */
    uint32_t count;
    tw_value values[];
} tw_carried;

/* The values of `slots` in a block; old's when it is large enough, else old is given back. */
tw_carried *tw_carried_put(tw_slab *slab, tw_carried *old, const tw_event *ev,
                           const uint32_t *slots, uint32_t count);
/* The same for values at hand. */
tw_carried *tw_carried_put_values(tw_slab *slab, tw_carried *old, const tw_value *values,
                                  uint32_t count);
void tw_carried_give(tw_slab *slab, tw_carried *c); /* NULL is fine */

#endif
