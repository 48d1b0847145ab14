// SPDX-License-Identifier: Apache-2.0
/* Quantiles by logarithmic buckets. One lane's thread.
 * Invariant of a store: every bucket in use lies in [first, first + room). */
#include "detect/ddsketch.h"

#include <math.h>
#include <string.h>

#define GAMMA ((1 + TW_DDSKETCH_ERROR) / (1 - TW_DDSKETCH_ERROR))
#define KEYS_PER_LOG 50.50340046192384 /* 1 / log(GAMMA) */

enum { FIRST_ROOM = 8, LOWEST_KEY = -60000 }; /* keys of doubles lie within +-38000 */

/* Buckets of one sign. */
typedef struct store {
    uint64_t *counts;
    int32_t first; /* key of counts[0] */
    uint32_t room;
    int32_t least, most; /* keys in use, when room > 0 */
} store;

struct tw_ddsketch {
    uint64_t count, zeros;
    double least, most;
    store above, below; /* of zero */
};

/* ---- keys ---- */

static int32_t key_of(double magnitude)
{
    return (int32_t)ceil(log(magnitude) * KEYS_PER_LOG);
}

static double value_of(int32_t key)
{
    return 2 * exp(key / KEYS_PER_LOG) / (GAMMA + 1);
}

/* ---- a store ---- */

static void store_free(tw_slab *slab, store *s)
{
    if (s->room > 0) {
        tw_slab_give(slab, s->counts, s->room * sizeof *s->counts);
    }
    *s = (store){.room = 0};
}

/* Room for keys from least to most; both are in. */
static void store_resize(tw_slab *slab, store *s, int32_t least, int32_t most)
{
    uint32_t span = (uint32_t)(most - least) + 1, room = FIRST_ROOM;
    store old = *s;

    while (room < span) {
        room *= 2;
    }
    s->counts = tw_slab_take(slab, room * sizeof *s->counts);
    memset(s->counts, 0, room * sizeof *s->counts);
    s->room = room;
    s->first = least - (int32_t)(room - span) / 2;
    if (old.room > 0) {
        memcpy(&s->counts[old.least - s->first], &old.counts[old.least - old.first],
               ((size_t)(old.most - old.least) + 1) * sizeof *s->counts);
        store_free(slab, &old);
    }
}

/* What lies below `least`, which is one of its keys, falls into it. */
static void store_collapse(store *s, int32_t least)
{
    uint64_t sum = 0;

    for (int32_t key = s->least; key < least; key++) {
        sum += s->counts[key - s->first];
        s->counts[key - s->first] = 0;
    }
    s->counts[least - s->first] += sum;
    s->least = least;
}

/* All of a store that lies wholly below what comes falls into one bucket. */
static void store_restart(tw_slab *slab, store *s, int32_t least)
{
    uint64_t sum = 0;

    for (int32_t key = s->least; key <= s->most; key++) {
        sum += s->counts[key - s->first];
    }
    store_free(slab, s);
    store_resize(slab, s, least, least);
    s->least = s->most = least;
    s->counts[least - s->first] = sum;
}

static void store_add(tw_slab *slab, store *s, int32_t key, uint64_t count)
{
    if (s->room == 0) {
        store_resize(slab, s, key, key);
        s->least = s->most = key;
    }
    int32_t most = key > s->most ? key : s->most;
    int32_t floor_key = most - TW_DDSKETCH_BUCKETS + 1;
    if (s->most < floor_key) {
        store_restart(slab, s, floor_key);
    } else if (s->least < floor_key) {
        store_collapse(s, floor_key);
    }
    key = key < floor_key ? floor_key : key;
    int32_t least = key < s->least ? key : s->least;
    if (least < s->first || most >= s->first + (int32_t)s->room) {
        store_resize(slab, s, least, most);
    }
    s->least = least;
    s->most = most;
    s->counts[key - s->first] += count;
}

static void store_merge(tw_slab *slab, store *s, const store *other)
{
    for (int32_t key = other->most; other->room > 0 && key >= other->least; key--) {
        uint64_t count = other->counts[key - other->first];
        if (count > 0) {
            store_add(slab, s, key, count);
        }
    }
}

/* ---- the sketch ---- */

static tw_ddsketch *sketch_of(tw_slab *slab, tw_ddsketch **d)
{
    if (!*d) {
        *d = tw_slab_take(slab, sizeof **d);
        **d = (tw_ddsketch){.least = INFINITY, .most = -INFINITY};
    }
    return *d;
}

void tw_ddsketch_add(tw_slab *slab, tw_ddsketch **sketch, double value)
{
    tw_ddsketch *d = sketch_of(slab, sketch);

    d->count++;
    d->least = value < d->least ? value : d->least;
    d->most = value > d->most ? value : d->most;
    if (value > 0) {
        store_add(slab, &d->above, key_of(value), 1);
    } else if (value < 0) {
        store_add(slab, &d->below, key_of(-value), 1);
    } else {
        d->zeros++;
    }
}

void tw_ddsketch_merge(tw_slab *slab, tw_ddsketch **sketch, const tw_ddsketch *other)
{
    if (!other) {
        return;
    }
    tw_ddsketch *d = sketch_of(slab, sketch);
    d->count += other->count;
    d->zeros += other->zeros;
    d->least = other->least < d->least ? other->least : d->least;
    d->most = other->most > d->most ? other->most : d->most;
    store_merge(slab, &d->above, &other->above);
    store_merge(slab, &d->below, &other->below);
}

/* The bucket that holds the rank; false: it lies behind this store. *seen: samples before. */
static bool find_below(const store *s, double rank, uint64_t *seen, double *out)
{
    for (int32_t key = s->most; s->room > 0 && key >= s->least; key--) {
        *seen += s->counts[key - s->first];
        if ((double)*seen > rank) {
            *out = -value_of(key);
            return true;
        }
    }
    return false;
}

static bool find_above(const store *s, double rank, uint64_t *seen, double *out)
{
    for (int32_t key = s->least; s->room > 0 && key <= s->most; key++) {
        *seen += s->counts[key - s->first];
        if ((double)*seen > rank) {
            *out = value_of(key);
            return true;
        }
    }
    return false;
}

bool tw_ddsketch_quantile(const tw_ddsketch *d, double q, double *out)
{
    uint64_t seen = 0;

    if (!d || d->count == 0) {
        return false;
    }
    double rank = floor(q * (double)(d->count - 1)), value = 0;
    if (!find_below(&d->below, rank, &seen, &value)) {
        seen += d->zeros;
        if ((double)seen <= rank && !find_above(&d->above, rank, &seen, &value)) {
            value = d->most;
        }
    }
    value = value < d->least ? d->least : value;
    *out = value > d->most ? d->most : value;
    return true;
}

void tw_ddsketch_free(tw_slab *slab, tw_ddsketch *d)
{
    if (d) {
        store_free(slab, &d->above);
        store_free(slab, &d->below);
        tw_slab_give(slab, d, sizeof *d);
    }
}

/* ---- bytes: 1, counts, extremes, and each store as its span and its counts; 0: none ---- */

static void store_save(const store *s, tw_buf *out)
{
    tw_state_put_u64(out, s->room > 0 ? (uint64_t)(s->most - s->least) + 1 : 0);
    if (s->room == 0) {
        return;
    }
    tw_state_put_i64(out, s->least);
    for (int32_t key = s->least; key <= s->most; key++) {
        tw_state_put_u64(out, s->counts[key - s->first]);
    }
}

static bool store_load(tw_slab *slab, tw_state_in *in, store *s)
{
    uint32_t span;
    int64_t least;

    if (!tw_state_take_u32(in, &span) || span == 0) {
        return !in->broken;
    }
    if (!tw_state_take_i64(in, &least) || span > TW_DDSKETCH_BUCKETS ||
        least < LOWEST_KEY || least > -LOWEST_KEY) {
        return false;
    }
    s->least = (int32_t)least;
    s->most = s->least + (int32_t)span - 1;
    store_resize(slab, s, s->least, s->most);
    for (uint32_t n = 0; n < span; n++) {
        if (!tw_state_take_u64(in, &s->counts[s->least - s->first + (int32_t)n])) {
            return false;
        }
    }
    return true;
}

void tw_ddsketch_save(const tw_ddsketch *d, tw_buf *out)
{
    tw_state_put_u64(out, d != NULL);
    if (!d) {
        return;
    }
    tw_state_put_u64(out, d->count);
    tw_state_put_u64(out, d->zeros);
    tw_state_put_double(out, d->least);
    tw_state_put_double(out, d->most);
    store_save(&d->above, out);
    store_save(&d->below, out);
}

bool tw_ddsketch_load(tw_slab *slab, tw_state_in *in, tw_ddsketch **out)
{
    uint64_t there;

    *out = NULL;
    if (!tw_state_take_u64(in, &there) || there == 0) {
        return !in->broken;
    }
    tw_ddsketch *d = sketch_of(slab, out);
    if (tw_state_take_u64(in, &d->count) && tw_state_take_u64(in, &d->zeros) &&
        tw_state_take_double(in, &d->least) && tw_state_take_double(in, &d->most) &&
        store_load(slab, in, &d->above) && store_load(slab, in, &d->below)) {
        return true;
    }
    tw_ddsketch_free(slab, d);
    *out = NULL;
    return false;
}
