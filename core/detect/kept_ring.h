// SPDX-License-Identifier: Apache-2.0
/* Kept events of one key in order of time, those of one time as they came: what a join waits with on
 * one side, what `together` has of one kind. A ring, so that the newest comes and the oldest goes for
 * nothing; one that comes out of order, or goes out of the middle, moves the shorter part.
 *
 * Places count from the oldest, 0. Thread: one lane; the memory is of the owner's slab. Events are the
 * owner's: what is cut out must have been given back before. A zeroed ring is empty. */
#ifndef TW_DETECT_KEPT_RING_H
#define TW_DETECT_KEPT_RING_H

#include "detect/kept.h"

typedef struct tw_kept_item {
    tw_kept kept;
    void *more; /* the owner's */
} tw_kept_item;

typedef struct tw_kept_ring {
    tw_kept_item *items;
    uint32_t head, count, room; /* room: a power of two, or 0 */
} tw_kept_ring;

static inline tw_kept_item *tw_kept_ring_at(const tw_kept_ring *r, uint32_t place)
{
    return &r->items[(r->head + place) & (r->room - 1)];
}

/* The first place whose time is >= time_ms (after: > time_ms); count when there is none. O(log n). */
uint32_t tw_kept_ring_from(const tw_kept_ring *r, int64_t time_ms);
uint32_t tw_kept_ring_after(const tw_kept_ring *r, int64_t time_ms);

/* Puts it behind all that are not younger; takes what it owns. Returns its place. */
uint32_t tw_kept_ring_add(tw_kept_ring *r, tw_slab *slab, const tw_kept_item *item);
/* Places [from, to) go. */
void tw_kept_ring_cut(tw_kept_ring *r, tw_slab *slab, uint32_t from, uint32_t to);

#endif
