// SPDX-License-Identifier: Apache-2.0
/* The waiting room: a binary heap of small items ordered by (time, input, partition,
 * offset, index), each with its event and key copied in one block of the lane's slab. One
 * lane's thread; owns the heap and what waits in it.
 *
 * Invariant: no two items compare equal unless they are the same event twice, so the order
 * of release does not depend on the order of arrival. */
#include "detect/reorder.h"

#include <string.h>

#include "base/err.h"
#include "detect/detector.h"

typedef struct waiting {
    int64_t time_ms, offset;
    uint32_t input;
    int32_t partition;
    uint32_t index, key_len;
    void *block; /* the event, then the key's bytes */
    size_t event_bytes;
    uint64_t key_hash;
    uint32_t key_group;
} waiting;

struct tw_reorder {
    tw_slab *slab;
    waiting *heap;
    uint32_t count, room, most;
};

static bool is_before(const waiting *a, const waiting *b)
{
    if (a->time_ms != b->time_ms) {
        return a->time_ms < b->time_ms;
    }
    if (a->input != b->input) {
        return a->input < b->input;
    }
    if (a->partition != b->partition) {
        return a->partition < b->partition;
    }
    return a->offset != b->offset ? a->offset < b->offset : a->index < b->index;
}

static void heap_push(tw_reorder *r, const waiting *item)
{
    uint32_t at = r->count;

    if (r->count == r->room) {
        r->room = r->room > 0 ? r->room * 2 : 64;
        r->heap = tw_realloc(r->heap, r->room * sizeof *r->heap);
    }
    r->count++;
    for (; at > 0 && is_before(item, &r->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        r->heap[at] = r->heap[(at - 1) / 2];
    }
    r->heap[at] = *item;
}

static waiting heap_pop(tw_reorder *r)
{
    waiting first = r->heap[0], last = r->heap[--r->count];
    uint32_t at = 0;

    for (uint32_t child; (child = 2 * at + 1) < r->count; at = child) {
        if (child + 1 < r->count && is_before(&r->heap[child + 1], &r->heap[child])) {
            child++;
        }
        if (!is_before(&r->heap[child], &last)) {
            break;
        }
        r->heap[at] = r->heap[child];
    }
    if (r->count > 0) {
        r->heap[at] = last;
    }
    return first;
}

static void give_block(tw_reorder *r, const waiting *item)
{
    tw_slab_give(r->slab, item->block, item->event_bytes + item->key_len);
}

tw_reorder *tw_reorder_new(tw_slab *slab, uint32_t max_events)
{
    tw_reorder *r = tw_alloc(sizeof *r);

    r->slab = slab;
    r->most = max_events;
    return r;
}

void tw_reorder_free(tw_reorder *r)
{
    if (!r) {
        return;
    }
    for (uint32_t n = 0; n < r->count; n++) {
        give_block(r, &r->heap[n]);
    }
    tw_free(r->heap);
    tw_free(r);
}

int tw_reorder_put(tw_reorder *r, const tw_key *key, uint32_t input, const tw_event *ev,
                   int64_t time_ms)
{
    if (r->count >= r->most) {
        return TW_EFULL;
    }
    waiting item = {.time_ms = time_ms,
                    .offset = ev->offset,
                    .input = input,
                    .partition = ev->partition,
                    .index = ev->index,
                    .key_len = key->len,
                    .event_bytes = tw_event_copy_size(ev),
                    .key_hash = key->hash,
                    .key_group = key->group};
    item.block = tw_slab_take(r->slab, item.event_bytes + key->len);
    tw_event_copy_into(ev, item.block);
    if (key->len > 0) {
        memcpy((char *)item.block + item.event_bytes, key->data, key->len);
    }
    heap_push(r, &item);
    return TW_OK;
}

static tw_key key_of(const waiting *item)
{
    return (tw_key){.data = (const uint8_t *)item->block + item->event_bytes,
                    .len = item->key_len,
                    .group = item->key_group,
                    .hash = item->key_hash};
}

void tw_reorder_adopt(tw_reorder *r, const tw_rule *fresh, tw_reorder *old,
                      const tw_rule *old_rule)
{
    if (tw_edit_same_inputs(fresh, old_rule)) {
        tw_reorder empty = *r;
        *r = *old;
        *old = empty;
        return;
    }
    for (uint32_t n = 0; n < old->count; n++) {
        waiting item = old->heap[n];
        int input = tw_edit_input(fresh, old_rule, item.input);
        if (input < 0) {
            give_block(old, &item);
            continue;
        }
        item.input = (uint32_t)input;
        heap_push(r, &item);
    }
    old->count = 0;
}

void tw_reorder_visit(const tw_reorder *r, const tw_reorder_port *port)
{
    for (uint32_t n = 0; n < r->count; n++) {
        tw_key key = key_of(&r->heap[n]);
        port->release(port->self, &key, r->heap[n].input, r->heap[n].block,
                      r->heap[n].time_ms);
    }
}

void tw_reorder_release(tw_reorder *r, int64_t clock_ms, bool inclusive,
                        const tw_reorder_port *port)
{
    while (r->count > 0 && (r->heap[0].time_ms < clock_ms ||
                            (inclusive && r->heap[0].time_ms == clock_ms))) {
        waiting item = heap_pop(r);
        tw_key key = key_of(&item);
        port->release(port->self, &key, item.input, item.block, item.time_ms);
        give_block(r, &item);
    }
}

int64_t tw_reorder_next(const tw_reorder *r)
{
    return r->count > 0 ? r->heap[0].time_ms : INT64_MAX;
}

uint32_t tw_reorder_count(const tw_reorder *r)
{
    return r->count;
}
