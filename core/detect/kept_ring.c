// SPDX-License-Identifier: Apache-2.0
/* Invariant: times never fall from place to place; an empty ring has no memory. */
#include "detect/kept_ring.h"

static size_t bytes_of(uint32_t room)
{
    return room * sizeof(tw_kept_item);
}

uint32_t tw_kept_ring_from(const tw_kept_ring *r, int64_t time_ms)
{
    uint32_t low = 0, high = r->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tw_kept_ring_at(r, middle)->kept.time_ms < time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t tw_kept_ring_after(const tw_kept_ring *r, int64_t time_ms)
{
    if (r->count == 0 ||
        tw_kept_ring_at(r, r->count - 1)->kept.time_ms <= time_ms) { /* most often */
        return r->count;
    }
    return time_ms == INT64_MAX ? r->count : tw_kept_ring_from(r, time_ms + 1);
}

static void make_room(tw_kept_ring *r, tw_slab *slab, uint32_t room)
{
    tw_kept_item *items = tw_slab_take(slab, bytes_of(room));

    for (uint32_t n = 0; n < r->count; n++) {
        items[n] = *tw_kept_ring_at(r, n);
    }
    if (r->items) {
        tw_slab_give(slab, r->items, bytes_of(r->room));
    }
    r->items = items;
    r->room = room;
    r->head = 0;
}

uint32_t tw_kept_ring_add(tw_kept_ring *r, tw_slab *slab, const tw_kept_item *item)
{
    uint32_t place = tw_kept_ring_after(r, item->kept.time_ms);

    if (r->count == r->room) {
        make_room(r, slab, r->room > 0 ? r->room * 2 : 1);
    }
    if (place < r->count / 2) {
        r->head = (r->head - 1) & (r->room - 1);
        for (uint32_t n = 0; n < place; n++) {
            *tw_kept_ring_at(r, n) = *tw_kept_ring_at(r, n + 1);
        }
    } else {
        for (uint32_t n = r->count; n > place; n--) {
            *tw_kept_ring_at(r, n) = *tw_kept_ring_at(r, n - 1);
        }
    }
    r->count++;
    *tw_kept_ring_at(r, place) = *item;
    return place;
}

/* An eighth full: half the room will do for long. */
static void settle_room(tw_kept_ring *r, tw_slab *slab)
{
    uint32_t room = r->room;

    if (r->count == 0) {
        tw_slab_give(slab, r->items, bytes_of(r->room));
        *r = (tw_kept_ring){0};
        return;
    }
    while (room >= 16 && r->count <= room / 8) {
        room /= 2;
    }
    if (room < r->room) {
        make_room(r, slab, room);
    }
}

void tw_kept_ring_cut(tw_kept_ring *r, tw_slab *slab, uint32_t from, uint32_t to)
{
    uint32_t gap = to - from;

    if (gap == 0) {
        return;
    }
    if (from < r->count - to) {
        for (uint32_t n = from; n-- > 0;) {
            *tw_kept_ring_at(r, n + gap) = *tw_kept_ring_at(r, n);
        }
        r->head = (r->head + gap) & (r->room - 1);
    } else {
        for (uint32_t n = to; n < r->count; n++) {
            *tw_kept_ring_at(r, n - gap) = *tw_kept_ring_at(r, n);
        }
    }
    r->count -= gap;
    settle_room(r, slab);
}
