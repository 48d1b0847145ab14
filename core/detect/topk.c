// SPDX-License-Identifier: Apache-2.0
/* Counters of values. One lane's thread.
 * Invariant: no value that has no counter has come with more than `forgotten` in all. */
#include "detect/topk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_ROOM = 8 };

struct tw_topk {
    uint32_t count, room;
    double forgotten;
    uint64_t *hashes; /* side by side: they are what is looked through */
    double *sums;
    tw_name **names;
};

/* ---- memory ---- */

static void arrays_give(tw_slab *slab, tw_topk *t)
{
    tw_slab_give(slab, t->hashes, t->room * sizeof *t->hashes);
    tw_slab_give(slab, t->sums, t->room * sizeof *t->sums);
    tw_slab_give(slab, t->names, t->room * sizeof *t->names);
}

static void arrays_take(tw_slab *slab, tw_topk *t, uint32_t room)
{
    tw_topk old = *t;

    t->room = room;
    t->hashes = tw_slab_take(slab, room * sizeof *t->hashes);
    t->sums = tw_slab_take(slab, room * sizeof *t->sums);
    t->names = tw_slab_take(slab, room * sizeof *t->names);
    if (old.count > 0) {
        memcpy(t->hashes, old.hashes, old.count * sizeof *t->hashes);
        memcpy(t->sums, old.sums, old.count * sizeof *t->sums);
        memcpy(t->names, old.names, old.count * sizeof *t->names);
    }
    if (old.room > 0) {
        arrays_give(slab, &old);
    }
}

static tw_topk *topk_of(tw_slab *slab, tw_topk **t)
{
    if (!*t) {
        *t = tw_slab_take(slab, sizeof **t);
        **t = (tw_topk){.count = 0};
        arrays_take(slab, *t, FIRST_ROOM);
    }
    return *t;
}

void tw_topk_free(tw_slab *slab, tw_topk *t)
{
    if (!t) {
        return;
    }
    for (uint32_t n = 0; n < t->count; n++) {
        tw_name_give(slab, t->names[n]);
    }
    arrays_give(slab, t);
    tw_slab_give(slab, t, sizeof *t);
}

/* ---- counting ---- */

static uint32_t find(const tw_topk *t, uint64_t hash)
{
    uint32_t n = 0;

    while (n < t->count && t->hashes[n] != hash) {
        n++;
    }
    return n;
}

static uint32_t least_of(const tw_topk *t)
{
    uint32_t least = 0;

    for (uint32_t n = 1; n < t->count; n++) {
        least = t->sums[n] < t->sums[least] ? n : least;
    }
    return least;
}

/* A place for a value that has none: the last, or that of the least, which is forgotten. */
static uint32_t place_for(tw_slab *slab, tw_topk *t)
{
    if (t->count == TW_TOPK_COUNTERS) {
        uint32_t least = least_of(t);
        t->forgotten = t->sums[least] > t->forgotten ? t->sums[least] : t->forgotten;
        tw_name_give(slab, t->names[least]);
        return least;
    }
    if (t->count == t->room) {
        arrays_take(slab, t, t->room * 2);
    }
    return t->count++;
}

void tw_topk_add(tw_slab *slab, tw_topk **topk, uint64_t hash, tw_value value,
                 double weight)
{
    if (!(weight > 0)) {
        return;
    }
    tw_topk *t = topk_of(slab, topk);
    uint32_t n = find(t, hash);
    if (n < t->count) {
        t->sums[n] += weight;
        return;
    }
    n = place_for(slab, t);
    t->hashes[n] = hash;
    t->sums[n] = t->forgotten + weight;
    t->names[n] = tw_name_new(slab, hash, value);
}

void tw_topk_merge(tw_slab *slab, tw_topk **topk, const tw_topk *other)
{
    if (!other) {
        return;
    }
    tw_topk *t = topk_of(slab, topk);
    double mine = t->forgotten;
    bool both[TW_TOPK_COUNTERS + 1] = {false};

    for (uint32_t n = 0; n < t->count; n++) {
        uint32_t at = find(other, t->hashes[n]);
        t->sums[n] += at < other->count ? other->sums[at] : other->forgotten;
        both[at] = true;
    }
    t->forgotten += other->forgotten;
    for (uint32_t n = 0; n < other->count; n++) {
        double sum = mine + other->sums[n];
        if (both[n]) {
            continue;
        }
        if (t->count == TW_TOPK_COUNTERS && t->sums[least_of(t)] >= sum) {
            t->forgotten = sum > t->forgotten ? sum : t->forgotten;
            continue;
        }
        uint32_t at = place_for(slab, t);
        t->hashes[at] = other->hashes[n];
        t->sums[at] = sum;
        t->names[at] = tw_name_new(slab, other->hashes[n], other->names[n]->value);
    }
}

/* ---- the list ---- */

static bool stands_before(const tw_topk *t, uint32_t a, uint32_t b)
{
    int order = 0;

    if (t->sums[a] > t->sums[b] || t->sums[a] < t->sums[b]) {
        return t->sums[a] > t->sums[b];
    }
    if (tw_value_compare(t->names[a]->value, t->names[b]->value, &order) && order != 0) {
        return order < 0;
    }
    return t->hashes[a] < t->hashes[b];
}

uint32_t tw_topk_list(const tw_topk *t, tw_top_item *out, uint32_t most)
{
    uint32_t best[TW_MAX_TOP], count = 0;

    most = most < TW_MAX_TOP ? most : TW_MAX_TOP;
    for (uint32_t n = 0; t && n < t->count; n++) {
        uint32_t at = count < most ? count++ : most;
        for (; at > 0 && stands_before(t, n, best[at - 1]); at--) {
            if (at < most) {
                best[at] = best[at - 1];
            }
        }
        if (at < most) {
            best[at] = n;
        }
    }
    for (uint32_t n = 0; n < count; n++) {
        out[n] = (tw_top_item){t->names[best[n]]->value, t->sums[best[n]]};
    }
    return count;
}

bool tw_topk_approx(const tw_topk *t)
{
    return t && t->forgotten > 0;
}

/* ---- bytes: count + 1 (0: none), what is forgotten, then each value with its sum ---- */

void tw_topk_save(const tw_topk *t, tw_buf *out)
{
    tw_state_put_u64(out, t ? t->count + 1ull : 0);
    if (!t) {
        return;
    }
    tw_state_put_double(out, t->forgotten);
    for (uint32_t n = 0; n < t->count; n++) {
        tw_state_put_value(out, t->names[n]->value);
        tw_state_put_double(out, t->sums[n]);
    }
}

static bool load_one(tw_slab *slab, tw_state_in *in, tw_topk *t)
{
    tw_value value;
    double sum;

    if (!tw_state_take_value(in, &value) || !tw_state_take_double(in, &sum)) {
        return false;
    }
    value = tw_name_cut(value);
    uint32_t n = place_for(slab, t);
    t->hashes[n] = tw_name_hash(value);
    t->sums[n] = sum;
    t->names[n] = tw_name_new(slab, t->hashes[n], value);
    return true;
}

bool tw_topk_load(tw_slab *slab, tw_state_in *in, tw_topk **out)
{
    uint32_t count;
    double forgotten;

    *out = NULL;
    if (!tw_state_take_u32(in, &count) || count == 0) {
        return !in->broken;
    }
    if (count - 1 > TW_TOPK_COUNTERS || !tw_state_take_double(in, &forgotten)) {
        return false;
    }
    tw_topk *t = topk_of(slab, out);
    for (uint32_t n = 1; n < count; n++) {
        if (!load_one(slab, in, t)) {
            tw_topk_free(slab, t);
            *out = NULL;
            return false;
        }
    }
    t->forgotten = forgotten;
    return true;
}
