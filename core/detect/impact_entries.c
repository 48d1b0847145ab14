// SPDX-License-Identifier: Apache-2.0
/* The samples of one key, in order of their times, of which only what a mean and a spread need is kept. One
 * lane's thread.
 *
 * Up to MAX_ENTRIES are kept singly and every sum is exact. When there is no more room, neighbours become one
 * entry, two by two; an entry that lies across the edge of a span counts to neither side, and the sum says
 * that it is not exact. */
#include <string.h>

#include "detect/impact_impl.h"

void impact_entries_reserve(impact *d, impact_key *k, uint32_t count)
{
    uint32_t room = k->entry_room > 0 ? k->entry_room : 8;

    while (room < count) {
        room *= 2;
    }
    if (room == k->entry_room) {
        return;
    }
    impact_entry *entries = tw_slab_take(d->slab, room * sizeof *entries);
    if (k->entries) {
        memcpy(entries, k->entries, k->entry_count * sizeof *entries);
        tw_slab_give(d->slab, k->entries, k->entry_room * sizeof *entries);
    }
    k->entries = entries;
    k->entry_room = room;
}

void impact_open_reserve(impact *d, impact_key *k, uint32_t count)
{
    uint32_t room = k->open_room > 0 ? k->open_room : 1;

    while (room < count) {
        room *= 2;
    }
    if (room == k->open_room) {
        return;
    }
    tw_kept *open = tw_slab_take(d->slab, room * sizeof *open);
    memset(open, 0, room * sizeof *open);
    if (k->open) {
        memcpy(open, k->open, k->open_count * sizeof *open);
        tw_slab_give(d->slab, k->open, k->open_room * sizeof *open);
    }
    k->open = open;
    k->open_room = room;
}

void impact_entries_give(impact *d, impact_key *k)
{
    if (k->entries) {
        tw_slab_give(d->slab, k->entries, k->entry_room * sizeof *k->entries);
    }
    k->entries = NULL;
    k->entry_count = k->entry_room = 0;
}

static void merge_pairs(impact_key *k)
{
    uint32_t to = 0;

    for (uint32_t from = 0; from < k->entry_count; from += 2) {
        impact_entry e = k->entries[from];
        if (from + 1 < k->entry_count) {
            const impact_entry *next = &k->entries[from + 1];
            tw_moments_merge(&e.of, &next->of);
            e.to_ms = impact_later(e.to_ms, next->to_ms);
        }
        k->entries[to++] = e;
    }
    k->entry_count = to;
}

void impact_entry_add(impact *d, impact_key *k, int64_t at_ms, double value)
{
    uint32_t at;

    if (k->entry_count == MAX_ENTRIES) {
        merge_pairs(k);
    }
    impact_entries_reserve(d, k, k->entry_count + 1);
    for (at = k->entry_count; at > 0 && k->entries[at - 1].from_ms > at_ms; at--) {
    }
    memmove(&k->entries[at + 1], &k->entries[at],
            (k->entry_count - at) * sizeof *k->entries);
    k->entries[at] = (impact_entry){.from_ms = at_ms, .to_ms = at_ms};
    tw_moments_add(&k->entries[at].of, value);
    k->entry_count++;
}

void impact_entries_prune(impact_key *k, int64_t until_ms)
{
    uint32_t gone = 0;

    while (gone < k->entry_count && k->entries[gone].to_ms <= until_ms) {
        gone++;
    }
    if (gone > 0) {
        k->entry_count -= gone;
        memmove(k->entries, k->entries + gone, k->entry_count * sizeof *k->entries);
    }
}

tw_moments impact_entries_sum(const impact_key *k, int64_t from_ms, int64_t to_ms,
                              bool *out_approx)
{
    tw_moments sum = {0};

    for (uint32_t i = 0; i < k->entry_count; i++) {
        const impact_entry *e = &k->entries[i];
        if (e->from_ms > from_ms && e->to_ms <= to_ms) {
            tw_moments_merge(&sum, &e->of);
        } else if (e->to_ms > from_ms && e->from_ms <= to_ms) {
            *out_approx = true;
        }
    }
    return sum;
}
