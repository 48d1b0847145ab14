// SPDX-License-Identifier: Apache-2.0
/* The index of the keyed table: segments of open addressing under a directory, grown and split one at a
 * time, so that no insertion moves more than one segment. */
#include <string.h>

#include "base/mem.h"
#include "state/keyed_impl.h"

/* Of the two sizes that make up a large table, and no other. Both take a block of the larger
 * one: segments grow and split in waves, and blocks of two sizes would wait for each other. */
static bool is_large(uint32_t size)
{
    return size >= SEGMENT_LARGE && size <= SEGMENT_LARGEST;
}

size_t tw_keyed_segment_bytes(uint32_t size)
{
    return sizeof(segment) +
           (is_large(size) ? SEGMENT_LARGEST : size) * sizeof(index_slot);
}

segment *tw_keyed_segment_new(tw_keyed *k, uint32_t size, uint32_t depth)
{
    size_t bytes = tw_keyed_segment_bytes(size);
    segment *s =
        is_large(size) ? tw_blocks_take(&k->blocks, bytes) : tw_realloc(NULL, bytes);

    s->used = 0;
    s->size = size;
    s->depth = depth;
    s->most = size - size / 4;
    memset(s->slots, 0xff, size * sizeof s->slots[0]);
    return s;
}

void tw_keyed_segment_free(tw_keyed *k, segment *s)
{
    if (is_large(s->size)) {
        tw_blocks_give(&k->blocks, s, tw_keyed_segment_bytes(s->size));
    } else {
        tw_free(s);
    }
}

static void segment_put(segment *s, index_slot slot)
{
    uint32_t at = home_of(s, slot.hash);

    while (s->slots[at].number != TW_KEYED_NONE) {
        at = slot_after(s, at);
    }
    s->slots[at] = slot;
    s->used++;
}

/* Every place of the directory that led to the old one leads to `fresh` now. */
static void directory_set(tw_keyed *k, uint32_t hash, segment *fresh)
{
    uint32_t span = 1u << (k->depth - fresh->depth);
    uint32_t first = (uint32_t)((uint64_t)hash >> (32 - k->depth)) & ~(span - 1);

    for (uint32_t n = 0; n < span; n++) {
        k->directory[first + n] = fresh;
    }
}

static void directory_double(tw_keyed *k)
{
    uint32_t places = 1u << k->depth;
    segment **wide = tw_calloc((size_t)places * 2, sizeof *wide);

    for (uint32_t n = 0; n < places * 2; n++) {
        wide[n] = k->directory[n / 2];
    }
    tw_free(k->directory);
    k->directory = wide;
    k->depth++;
}

static void segment_split(tw_keyed *k, segment *old, uint32_t hash)
{
    uint32_t bit = 1u << (31 - old->depth);
    segment *low = tw_keyed_segment_new(k, SEGMENT_LARGE, old->depth + 1);
    segment *high = tw_keyed_segment_new(k, SEGMENT_LARGE, old->depth + 1);

    if (old->depth == k->depth) {
        directory_double(k);
    }
    for (uint32_t n = 0; n < old->size; n++) {
        if (old->slots[n].number != TW_KEYED_NONE) {
            segment_put(old->slots[n].hash & bit ? high : low, old->slots[n]);
        }
    }
    directory_set(k, hash & ~bit, low);
    directory_set(k, hash | bit, high);
    tw_keyed_segment_free(k, old);
}

static void segment_grow(tw_keyed *k, segment *old, uint32_t hash)
{
    uint32_t size = old->size * 2;

    if (old->size == SEGMENT_LARGE) {
        size = SEGMENT_LARGEST;
    } else if (old->size >= SEGMENT_LARGEST && old->depth < DEPTH_MAX) {
        segment_split(k, old, hash);
        return;
    }
    segment *s = tw_keyed_segment_new(k, size, old->depth);
    for (uint32_t n = 0; n < old->size; n++) {
        if (old->slots[n].number != TW_KEYED_NONE) {
            segment_put(s, old->slots[n]);
        }
    }
    directory_set(k, hash, s);
    tw_keyed_segment_free(k, old);
}

void tw_keyed_index_add(tw_keyed *k, uint32_t hash, uint32_t number)
{
    segment *s = segment_of(k, hash);

    while (s->used >= s->most) {
        segment_grow(k, s, hash);
        s = segment_of(k, hash);
    }
    segment_put(s, (index_slot){hash, number});
}

/* Distance from its home to where a slot stands. */
static uint32_t slot_distance(const segment *s, uint32_t home, uint32_t at)
{
    return at >= home ? at - home : at + s->size - home;
}

void tw_keyed_index_remove(tw_keyed *k, uint32_t hash, uint32_t number)
{
    segment *s = segment_of(k, hash);
    uint32_t hole = home_of(s, hash);

    while (s->slots[hole].number != number) {
        hole = slot_after(s, hole);
    }
    for (uint32_t at = slot_after(s, hole); s->slots[at].number != TW_KEYED_NONE;
         at = slot_after(s, at)) {
        uint32_t home = home_of(s, s->slots[at].hash);
        if (slot_distance(s, home, at) >= slot_distance(s, hole, at)) {
            s->slots[hole] = s->slots[at];
            hole = at;
        }
    }
    s->slots[hole] = (index_slot){UINT32_MAX, TW_KEYED_NONE};
    s->used--;
}
