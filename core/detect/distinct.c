// SPDX-License-Identifier: Apache-2.0
/* Different values, exact and estimated. One lane's thread.
 * Invariant: a set has an empty place; the histogram of an estimate counts its registers. */
#include "detect/distinct.h"

#include <math.h>
#include <string.h>

enum { INDEX_BITS = 14, REGISTERS = 1 << INDEX_BITS, RANKS = 64 - INDEX_BITS + 2 };
enum { FIRST_ROOM = 4, LAST_ROOM = 2048 };

typedef struct estimate {
    uint32_t histogram[RANKS]; /* registers by rank */
    uint8_t registers[REGISTERS];
} estimate;

struct tw_distinct {
    uint32_t count, room; /* of the set; room 0: an estimate */
    union {
        uint64_t set[1]; /* open addressing; 0 is an empty place */
        estimate hll;
    };
};

static size_t bytes_of(uint32_t room)
{
    return room == 0 ? sizeof(tw_distinct)
                     : offsetof(tw_distinct, set) + room * sizeof(uint64_t);
}

static tw_distinct *distinct_new(tw_slab *slab, uint32_t room)
{
    tw_distinct *d = tw_slab_take(slab, bytes_of(room));

    memset(d, 0, bytes_of(room));
    d->room = room;
    if (room == 0) {
        d->hll.histogram[0] = REGISTERS;
    }
    return d;
}

/* ---- the set ---- */

/* True: it is new there. */
static bool set_put(tw_distinct *d, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (d->room - 1);

    while (d->set[at] != 0) {
        if (d->set[at] == hash) {
            return false;
        }
        at = (at + 1) & (d->room - 1);
    }
    d->set[at] = hash;
    d->count++;
    return true;
}

/* ---- the estimate ---- */

static void raise_register(estimate *e, uint32_t n, uint8_t rank)
{
    if (rank > e->registers[n]) {
        e->histogram[e->registers[n]]--;
        e->histogram[rank]++;
        e->registers[n] = rank;
    }
}

static void estimate_add(estimate *e, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS | 1ull << (INDEX_BITS - 1);

    raise_register(e, (uint32_t)(hash >> (64 - INDEX_BITS)),
                   (uint8_t)(__builtin_clzll(rest) + 1));
}

/* Ertl's sigma: what the registers that were never touched contribute. */
static double sigma(double x)
{
    double y = 1, z = x, before;

    if (x >= 1) {
        return INFINITY;
    }
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

/* Ertl's tau: the registers that are full. */
static double tau(double x)
{
    double y = 1, z = 1 - x, before;

    if (x <= 0 || x >= 1) {
        return 0;
    }
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);
    return z / 3;
}

static double estimate_count(const estimate *e)
{
    const double m = REGISTERS;
    double z = m * tau(1 - e->histogram[RANKS - 1] / m);

    for (int rank = RANKS - 2; rank >= 1; rank--) {
        z = 0.5 * (z + e->histogram[rank]);
    }
    z += m * sigma(e->histogram[0] / m);
    return m * m / (2 * M_LN2 * z);
}

/* ---- both ---- */

static void move_into(const tw_distinct *from, tw_distinct *to)
{
    for (uint32_t n = 0; n < from->room; n++) {
        if (from->set[n] != 0 && to->room > 0) {
            set_put(to, from->set[n]);
        } else if (from->set[n] != 0) {
            estimate_add(&to->hll, from->set[n]);
        }
    }
}

/* There is room for one more, in the set or as an estimate. */
static void make_room(tw_slab *slab, tw_distinct **d)
{
    tw_distinct *old = *d;

    if (!old) {
        *d = distinct_new(slab, FIRST_ROOM);
        return;
    }
    bool full = old->count >= TW_DISTINCT_EXACT;
    if (old->room == 0 || (!full && old->count * 4 < old->room * 3)) {
        return;
    }
    *d = distinct_new(slab, full || old->room == LAST_ROOM ? 0 : old->room * 2);
    move_into(old, *d);
    tw_distinct_free(slab, old);
}

static bool set_has(const tw_distinct *d, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (d->room - 1);

    while (d->set[at] != 0 && d->set[at] != hash) {
        at = (at + 1) & (d->room - 1);
    }
    return d->set[at] == hash;
}

void tw_distinct_add(tw_slab *slab, tw_distinct **d, uint64_t hash)
{
    hash += hash == 0;
    if (*d && (*d)->room > 0 && set_has(*d, hash)) {
        return;
    }
    make_room(slab, d);
    if ((*d)->room > 0) {
        set_put(*d, hash);
    } else {
        estimate_add(&(*d)->hll, hash);
    }
}

void tw_distinct_merge(tw_slab *slab, tw_distinct **d, const tw_distinct *other)
{
    if (!other) {
        return;
    }
    if (other->room > 0) {
        for (uint32_t n = 0; n < other->room; n++) {
            if (other->set[n] != 0) {
                tw_distinct_add(slab, d, other->set[n]);
            }
        }
        return;
    }
    if (!*d || (*d)->room > 0) {
        tw_distinct *old = *d;
        *d = distinct_new(slab, 0);
        if (old) {
            move_into(old, *d);
            tw_distinct_free(slab, old);
        }
    }
    for (uint32_t n = 0; n < REGISTERS; n++) {
        raise_register(&(*d)->hll, n, other->hll.registers[n]);
    }
}

double tw_distinct_count(const tw_distinct *d)
{
    if (!d) {
        return 0;
    }
    return d->room > 0 ? d->count : round(estimate_count(&d->hll));
}

bool tw_distinct_approx(const tw_distinct *d)
{
    return d && d->room == 0;
}

void tw_distinct_free(tw_slab *slab, tw_distinct *d)
{
    if (d) {
        tw_slab_give(slab, d, bytes_of(d->room));
    }
}

/* ---- bytes: room + 1 (0: none); the set as it stands, or the registers ---- */

void tw_distinct_save(const tw_distinct *d, tw_buf *out)
{
    tw_state_put_u64(out, d ? d->room + 1ull : 0);
    if (!d) {
        return;
    }
    tw_state_put_bytes(out, d->room > 0 ? (const void *)d->set : d->hll.registers,
                       d->room > 0 ? d->room * sizeof(uint64_t) : REGISTERS);
}

static bool load_set(tw_slab *slab, uint32_t room, const void *bytes, size_t size,
                     tw_distinct **out)
{
    if (room < FIRST_ROOM || room > LAST_ROOM || (room & (room - 1)) != 0 ||
        size != room * sizeof(uint64_t)) {
        return false;
    }
    tw_distinct *d = distinct_new(slab, room);
    memcpy(d->set, bytes, size);
    for (uint32_t n = 0; n < room; n++) {
        d->count += d->set[n] != 0;
    }
    if (d->count >= room || d->count > TW_DISTINCT_EXACT) {
        tw_distinct_free(slab, d);
        return false;
    }
    *out = d;
    return true;
}

bool tw_distinct_load(tw_slab *slab, tw_state_in *in, tw_distinct **out)
{
    const void *bytes;
    size_t size;
    uint32_t room;

    *out = NULL;
    if (!tw_state_take_u32(in, &room) || room == 0) {
        return !in->broken;
    }
    if (!tw_state_take_bytes(in, &bytes, &size)) {
        return false;
    }
    if (room > 1) {
        return load_set(slab, room - 1, bytes, size, out);
    }
    if (size != REGISTERS) {
        return false;
    }
    *out = distinct_new(slab, 0);
    for (uint32_t n = 0; n < REGISTERS; n++) {
        uint8_t rank = ((const uint8_t *)bytes)[n];
        raise_register(&(*out)->hll, n, rank < RANKS ? rank : 0);
    }
    return true;
}
