// SPDX-License-Identifier: Apache-2.0
/* What is due: a binary heap of entries in order of (time, key bytes), which is what makes deadlines of
 * one millisecond fire in the same order on every run. Keys are compared by their first sixteen
 * bytes, kept in the item, and only where these are equal by the table. Thread: its owner's. A zeroed heap with
 * its table set is empty. */
#ifndef TW_STATE_DUE_H
#define TW_STATE_DUE_H

#include "state/keyed.h"

typedef struct tw_due_item {
    uint64_t at;
    uint64_t prefix[2]; /* first key bytes as numbers */
    uint32_t number;
} tw_due_item;

typedef struct tw_due {
    const tw_keyed *keys; /* borrowed */
    tw_due_item *items;   /* items[0] is the first */
    uint32_t count, room;
} tw_due;

void tw_due_done(tw_due *d);
void tw_due_push(tw_due *d, uint32_t number, uint64_t at);
/* Many at once: append each, then order. */
void tw_due_append(tw_due *d, uint32_t number, uint64_t at);
void tw_due_order(tw_due *d);
void tw_due_drop(tw_due *d); /* the first, which must be there */

#endif
