// SPDX-License-Identifier: Apache-2.0
/* Newest samples by sub-key: a table with open addressing. One lane's thread.
 * Invariant: it has an empty place; sub-key 0 is an empty place. */
#include "detect/latest.h"

#include <math.h>
#include <string.h>

enum { FIRST_ROOM = 4, LAST_ROOM = 2 * TW_LATEST_KEYS };

typedef struct place {
    uint64_t sub_key;
    double value;
    int64_t time_ms;
} place;

struct tw_latest {
    uint32_t count, room;
    bool dropped; /* a sub-key had to go */
    place places[];
};

static size_t bytes_of(uint32_t room)
{
    return sizeof(tw_latest) + room * sizeof(place);
}

static tw_latest *latest_new(tw_slab *slab, uint32_t room)
{
    tw_latest *l = tw_slab_take(slab, bytes_of(room));

    memset(l, 0, bytes_of(room));
    l->room = room;
    return l;
}

void tw_latest_free(tw_slab *slab, tw_latest *l)
{
    if (l) {
        tw_slab_give(slab, l, bytes_of(l->room));
    }
}

/* The sub-key's place, or the empty one where it belongs. */
static place *place_of(tw_latest *l, uint64_t sub_key)
{
    uint32_t at = (uint32_t)sub_key & (l->room - 1);

    while (l->places[at].sub_key != 0 && l->places[at].sub_key != sub_key) {
        at = (at + 1) & (l->room - 1);
    }
    return &l->places[at];
}

static uint32_t oldest_of(const tw_latest *l)
{
    uint32_t oldest = l->room;

    for (uint32_t n = 0; n < l->room; n++) {
        if (l->places[n].sub_key != 0 &&
            (oldest == l->room || l->places[n].time_ms < l->places[oldest].time_ms)) {
            oldest = n;
        }
    }
    return oldest;
}

/* The same in a table of another size, without one of them (room: with all). */
static tw_latest *rebuilt(tw_slab *slab, tw_latest *old, uint32_t room, uint32_t without)
{
    tw_latest *l = latest_new(slab, room);

    l->dropped = old->dropped || without < old->room;
    for (uint32_t n = 0; n < old->room; n++) {
        if (old->places[n].sub_key != 0 && n != without) {
            *place_of(l, old->places[n].sub_key) = old->places[n];
            l->count++;
        }
    }
    tw_latest_free(slab, old);
    return l;
}

static void make_room(tw_slab *slab, tw_latest **l)
{
    tw_latest *old = *l;

    if (!old) {
        *l = latest_new(slab, FIRST_ROOM);
    } else if (old->count == TW_LATEST_KEYS) {
        *l = rebuilt(slab, old, old->room, oldest_of(old));
    } else if (old->count * 4 >= old->room * 3 && old->room < LAST_ROOM) {
        *l = rebuilt(slab, old, old->room * 2, old->room);
    }
}

void tw_latest_add(tw_slab *slab, tw_latest **l, uint64_t sub_key, double value,
                   int64_t time_ms)
{
    sub_key += sub_key == 0;
    place *p = *l ? place_of(*l, sub_key) : NULL;

    if (!p || p->sub_key == 0) {
        make_room(slab, l);
        p = place_of(*l, sub_key);
        (*l)->count++;
    } else if (time_ms < p->time_ms) {
        return;
    }
    *p = (place){sub_key, value, time_ms};
}

void tw_latest_merge(tw_slab *slab, tw_latest **l, const tw_latest *later)
{
    for (uint32_t n = 0; later && n < later->room; n++) {
        const place *p = &later->places[n];
        if (p->sub_key != 0) {
            tw_latest_add(slab, l, p->sub_key, p->value, p->time_ms);
        }
    }
    if (later && later->dropped) {
        (*l)->dropped = true;
    }
}

bool tw_latest_fold(const tw_latest *l, tw_agg_kind fold, double *out)
{
    double sum = 0, least = INFINITY, most = -INFINITY;
    uint32_t count = l ? l->count : 0;

    for (uint32_t n = 0; l && n < l->room; n++) {
        if (l->places[n].sub_key != 0) {
            sum += l->places[n].value;
            least = fmin(least, l->places[n].value);
            most = fmax(most, l->places[n].value);
        }
    }
    if (fold == TW_AGG_COUNT || fold == TW_AGG_SUM) {
        *out = fold == TW_AGG_COUNT ? count : sum;
        return isfinite(*out);
    }
    *out = fold == TW_AGG_MIN ? least : fold == TW_AGG_MAX ? most : sum / count;
    return count > 0 && isfinite(*out);
}

bool tw_latest_approx(const tw_latest *l)
{
    return l && l->dropped;
}

/* ---- bytes: room + 1 (0: none), dropped, then the places in use with where they are, so
 * that sums are added up in the same order afterwards ---- */

void tw_latest_save(const tw_latest *l, tw_buf *out)
{
    tw_state_put_u64(out, l ? l->room + 1ull : 0);
    if (!l) {
        return;
    }
    tw_state_put_u64(out, l->dropped);
    tw_state_put_u64(out, l->count);
    for (uint32_t n = 0; n < l->room; n++) {
        if (l->places[n].sub_key != 0) {
            tw_state_put_u64(out, n);
            tw_state_put_u64(out, l->places[n].sub_key);
            tw_state_put_double(out, l->places[n].value);
            tw_state_put_i64(out, l->places[n].time_ms);
        }
    }
}

static bool load_place(tw_state_in *in, tw_latest *l)
{
    uint32_t at;
    place p;

    if (!tw_state_take_u32(in, &at) || !tw_state_take_u64(in, &p.sub_key) ||
        !tw_state_take_double(in, &p.value) || !tw_state_take_i64(in, &p.time_ms) ||
        at >= l->room || p.sub_key == 0 || l->places[at].sub_key != 0) {
        return false;
    }
    l->places[at] = p;
    l->count++;
    return true;
}

bool tw_latest_load(tw_slab *slab, tw_state_in *in, tw_latest **out)
{
    uint32_t room, count;
    uint64_t dropped;

    *out = NULL;
    if (!tw_state_take_u32(in, &room) || room == 0) {
        return !in->broken;
    }
    room--;
    if (room < FIRST_ROOM || room > LAST_ROOM || (room & (room - 1)) != 0 ||
        !tw_state_take_u64(in, &dropped) || !tw_state_take_u32(in, &count) ||
        count >= room || count > TW_LATEST_KEYS) {
        return false;
    }
    tw_latest *l = latest_new(slab, room);
    l->dropped = dropped != 0;
    for (uint32_t n = 0; n < count; n++) {
        if (!load_place(in, l)) {
            tw_latest_free(slab, l);
            return false;
        }
    }
    *out = l;
    return true;
}
