// SPDX-License-Identifier: Apache-2.0
/* A level operator as bytes, and back. One lane's thread, at a barrier.
 *
 *     names of what is carried, then a key after the other: its bytes, times, what was told,
 *     what is open, the parts its layout has, the window
 *
 * Texts, holds and nodata may have been edited since: parts say whether they are there, and
 * carried fields are found by name. Timers are not written: a key knows what it waits for. */
#include <string.h>

#include "detect/level_impl.h"

enum {
    PART_NEXT_END = 1,
    PART_FIRST = 2,
    PART_SAMPLE = 4,
    PART_SEEN = 8,
    PART_ORIGIN = 16,
    PART_OPEN = 32,
    PART_CARRIED = 64,
    PART_CARRIED_FIRST = 128,
    PART_SESSION = 256
};

/* ---- out ---- */

static void names_save(char **names, uint32_t count, tw_buf *out)
{
    tw_state_put_u64(out, count);
    for (uint32_t n = 0; n < count; n++) {
        tw_state_put_bytes(out, names[n], strlen(names[n]));
    }
}

static tw_carried *carried_of(level_key *key, uint32_t offset)
{
    return offset ? *(tw_carried **)level_part(key, offset) : NULL;
}

static uint64_t parts_of(const level *d, level_key *key)
{
    const level_layout *l = &d->layout;

    return (l->next_end ? PART_NEXT_END : 0u) | (l->first ? PART_FIRST : 0u) |
           (l->sample ? PART_SAMPLE : 0u) | (l->seen ? PART_SEEN : 0u) |
           (l->origin ? PART_ORIGIN : 0u) | (l->session ? PART_SESSION : 0u) |
           (key->open ? PART_OPEN : 0u) |
           (carried_of(key, l->carried) ? PART_CARRIED : 0u) |
           (carried_of(key, l->carried_first) ? PART_CARRIED_FIRST : 0u);
}

static void open_save(const level_open *o, tw_buf *out)
{
    for (int n = 0; n < TW_LEVELS - 1; n++) {
        tw_state_put_i64(out, o->since_ms[n]);
        tw_state_put_i64(out, o->clearing_ms[n]);
    }
    tw_state_put_u64(out, o->active);
    tw_state_put_u64(out, o->pending);
    tw_state_put_u64(out, o->clearing);
    tw_state_put_u64(out, o->override);
    tw_state_put_u64(out, o->told_pending);
    tw_state_put_u64(out, o->from);
    tw_state_put_u64(out, o->news);
    tw_state_put_u64(out, o->said);
    tw_state_put_i64(out, o->news_ms);
}

static void carried_save(const tw_carried *c, tw_buf *out)
{
    for (uint32_t n = 0; n < c->count; n++) {
        tw_state_put_value(out, c->values[n]);
    }
}

static void key_save(const level *d, uint32_t number, tw_buf *out)
{
    const level_layout *l = &d->layout;
    level_key *key = tw_keyed_at(d->keys, number);
    uint64_t parts = parts_of(d, key);
    uint32_t size;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &size);

    tw_state_put_bytes(out, bytes, size);
    tw_state_put_i64(out, key->newest_ms);
    tw_state_put_u64(out, key->told);
    tw_state_put_u64(out, key->flags);
    tw_state_put_u64(out, parts);
    if (parts & PART_NEXT_END) {
        tw_state_put_i64(out, *level_time(key, l->next_end));
    }
    if (parts & PART_FIRST) {
        tw_state_put_i64(out, *level_time(key, l->first));
    }
    if (parts & PART_SAMPLE) {
        tw_state_put_i64(out, *level_time(key, l->sample));
    }
    if (parts & PART_SEEN) {
        tw_state_put_u64(out, *(uint64_t *)level_part(key, l->seen));
    }
    if (parts & PART_ORIGIN) {
        tw_state_put_origin(out, level_part(key, l->origin));
    }
    if (parts & PART_SESSION) {
        level_session_save(d, key, out);
    }
    if (parts & PART_OPEN) {
        open_save(key->open, out);
    }
    if (parts & PART_CARRIED) {
        carried_save(carried_of(key, l->carried), out);
    }
    if (parts & PART_CARRIED_FIRST) {
        carried_save(carried_of(key, l->carried_first), out);
    }
    tw_window_save(&d->windows, &key->window, key->newest_ms, out);
}

void level_save(const tw_detector *base, tw_buf *out)
{
    const level *d = (const level *)base;
    const tw_rule *r = d->rule;

    names_save(r->carried, r->carried_count, out);
    names_save(r->carried_first, r->carried_first_count, out);
    tw_state_put_i64(out, d->edited_ms);
    tw_state_put_u64(out, tw_keyed_count(d->keys));
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        key_save(d, n, out);
    }
}

/* ---- in ---- */

/* Where the carried fields of a saved state are in the rule's own. */
typedef struct places {
    uint32_t count, own;
    int *to; /* by saved field; -1: not carried any more */
} places;

typedef struct loading {
    level *d;
    tw_state_in *in;
    places carried, carried_first;
} loading;

static int place_of(char **names, uint32_t count, const void *name, size_t len)
{
    for (uint32_t n = 0; n < count; n++) {
        if (strlen(names[n]) == len && memcmp(names[n], name, len) == 0) {
            return (int)n;
        }
    }
    return -1;
}

static bool names_load(tw_state_in *in, char **names, uint32_t own, places *out)
{
    const void *name;
    size_t len;

    out->own = own;
    if (!tw_state_take_u32(in, &out->count) ||
        out->count > (size_t)(in->end - in->at)) { /* a name is a byte at least */
        return false;
    }
    out->to = tw_calloc(out->count + 1, sizeof *out->to);
    for (uint32_t n = 0; n < out->count; n++) {
        if (!tw_state_take_bytes(in, &name, &len)) {
            return false;
        }
        out->to[n] = place_of(names, own, name, len);
    }
    return true;
}

static bool carried_load(loading *l, const places *p, uint32_t offset, level_key *key)
{
    tw_value *values = tw_calloc(p->own + 1, sizeof *values);
    tw_value v;
    bool good = true;

    for (uint32_t n = 0; n < p->count && good; n++) {
        good = tw_state_take_value(l->in, &v);
        if (good && p->to[n] >= 0) {
            values[p->to[n]] = v;
        }
    }
    if (good && offset) {
        *(tw_carried **)level_part(key, offset) =
            tw_carried_put_values(l->d->slab, NULL, values, p->own);
    }
    tw_free(values);
    return good;
}

static bool byte_load(tw_state_in *in, uint8_t most, uint8_t *out)
{
    uint64_t v;

    if (!tw_state_take_u64(in, &v) || v > most) {
        return false;
    }
    *out = (uint8_t)v;
    return true;
}

static bool open_load(loading *l, level_key *key)
{
    level_open *o = tw_slab_take(l->d->slab, sizeof *o);
    bool good = true;
    uint8_t news = 0;

    *o = (level_open){.active = 0};
    key->open = o;
    for (int n = 0; n < TW_LEVELS - 1 && good; n++) {
        good = tw_state_take_i64(l->in, &o->since_ms[n]) &&
               tw_state_take_i64(l->in, &o->clearing_ms[n]);
    }
    good = good && byte_load(l->in, 15, &o->active) &&
           byte_load(l->in, 15, &o->pending) && byte_load(l->in, 15, &o->clearing) &&
           byte_load(l->in, TW_LEVEL_UNKNOWN, &o->override) &&
           byte_load(l->in, TW_LEVEL_UNKNOWN, &o->told_pending) &&
           byte_load(l->in, TW_LEVEL_UNKNOWN, &o->from) && byte_load(l->in, 1, &news) &&
           tw_state_take_u64(l->in, &o->said) && tw_state_take_i64(l->in, &o->news_ms);
    o->news = news;
    return good;
}

/* wanted 0: read past it. */
static bool time_load(loading *l, level_key *key, bool there, uint32_t wanted)
{
    int64_t v;

    if (!there) {
        return true;
    }
    if (!tw_state_take_i64(l->in, &v)) {
        return false;
    }
    if (wanted) {
        *level_time(key, wanted) = v;
    }
    return true;
}

static bool origin_load(loading *l, level_key *key)
{
    tw_origin o = {.partition = -1};

    if (!tw_state_take_origin(l->in, &o)) {
        return false;
    }
    if (l->d->layout.origin) {
        *(tw_origin *)level_part(key, l->d->layout.origin) = o;
    }
    return true;
}

static bool parts_load(loading *l, level_key *key, uint64_t parts)
{
    const level_layout *at = &l->d->layout;
    uint64_t seen = 0;

    if (!time_load(l, key, parts & PART_NEXT_END, at->next_end) ||
        !time_load(l, key, parts & PART_FIRST, at->first) ||
        !time_load(l, key, parts & PART_SAMPLE, at->sample) ||
        (parts & PART_SEEN && !tw_state_take_u64(l->in, &seen))) {
        return false;
    }
    if (at->seen) {
        *(uint64_t *)level_part(key, at->seen) = seen;
    }
    if (at->origin) {
        *(tw_origin *)level_part(key, at->origin) = (tw_origin){.partition = -1};
    }
    return (!(parts & PART_ORIGIN) || origin_load(l, key)) &&
           (!(parts & PART_SESSION) ||
            (at->session && level_session_load(l->d, key, l->in))) &&
           (!(parts & PART_OPEN) || open_load(l, key)) &&
           (!(parts & PART_CARRIED) || carried_load(l, &l->carried, at->carried, key)) &&
           (!(parts & PART_CARRIED_FIRST) ||
            carried_load(l, &l->carried_first, at->carried_first, key));
}

static bool key_load(loading *l)
{
    level *d = l->d;
    const void *bytes;
    size_t size;
    int64_t newest_ms;
    uint64_t parts;

    if (!tw_state_take_bytes(l->in, &bytes, &size) || size > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(l->in, &newest_ms)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)size);
    if (tw_keyed_find(d->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = level_key_add(d, &key, newest_ms, newest_ms);
    level_key *k = tw_keyed_at(d->keys, number);
    if (!byte_load(l->in, TW_LEVEL_UNKNOWN, &k->told) ||
        !byte_load(l->in, KEY_SETTLED | KEY_NODATA_DONE | KEY_EDITED, &k->flags) ||
        !tw_state_take_u64(l->in, &parts) || !parts_load(l, k, parts) ||
        !tw_window_load(&d->windows, &k->window, l->in)) {
        return false;
    }
    level_key_arm(d, number, k);
    return true;
}

int level_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    level *d = (level *)base;
    loading l = {.d = d, .in = in};
    uint64_t keys = 0;
    bool good = names_load(in, d->rule->carried, d->rule->carried_count, &l.carried) &&
                names_load(in, d->rule->carried_first, d->rule->carried_first_count,
                           &l.carried_first) &&
                tw_state_take_i64(in, &d->edited_ms) && tw_state_take_u64(in, &keys);

    for (uint64_t n = 0; n < keys && good; n++) {
        good = key_load(&l);
    }
    tw_free(l.carried.to);
    tw_free(l.carried_first.to);
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the state of level is not whole");
}
