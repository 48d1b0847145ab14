// SPDX-License-Identifier: Apache-2.0
/* Open addressing over the distinct values; the targets of a value lie side by side. The
 * hash is a plain multiply-and-fold: only rules put entries in, so nobody outside can
 * make it crowd. */
#include "route/exact.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "route/filter.h"

#define NONE UINT32_MAX

typedef struct entry {
    uint64_t hash;
    tw_value value;
    uint32_t first, count; /* of targets; before finish: head of a chain, and its tail */
    uint32_t tail;
} entry;

typedef struct link {
    uint32_t target, next;
} link;

struct tw_exact {
    entry *entries;
    uint32_t entry_count, entry_cap;
    uint32_t *places; /* entry numbers + 1, by hash; 0 is free */
    uint32_t mask;
    link *links; /* only while building */
    uint32_t link_count, link_cap;
    uint32_t *targets;
    tw_filter filter; /* once finished */
};

/* Whole doubles become integers: what equals has one form. */
static tw_value canonical(tw_value v)
{
    if (v.type == TW_DOUBLE && v.d >= -9223372036854775808.0 &&
        v.d < 9223372036854775808.0 && v.d == floor(v.d))
        return tw_value_int((int64_t)v.d);
    return v;
}

bool tw_exact_takes(tw_value v)
{
    switch ((tw_type)v.type) {
    case TW_NULL:
    case TW_BOOL:
    case TW_INT:
    case TW_STRING:
        return true;
    case TW_DOUBLE: /* beyond that it may equal a decimal */
        return fabs(v.d) < 9007199254740992.0;
    case TW_ABSENT:
    case TW_DECIMAL:
    case TW_JSON:
        return false;
    }
    return false;
}

static inline uint64_t hash_value(tw_value v)
{
    if (v.type == TW_STRING)
        return tw_fold_text(v.s, v.len);
    if (v.type == TW_BOOL)
        return tw_fold(TW_BOOL, v.b);
    if (v.type == TW_NULL)
        return tw_fold(TW_NULL, 0);
    return tw_fold(v.type, (uint64_t)v.i); /* the bits of a double lie there too */
}

static inline bool same(tw_value a, tw_value b)
{
    if (a.type != b.type)
        return false;
    if (a.type == TW_STRING)
        return a.len == b.len && memcmp(a.s, b.s, a.len) == 0;
    if (a.type == TW_BOOL)
        return a.b == b.b;
    return a.type == TW_NULL || a.i == b.i;
}

/* The place that holds v, or the free one where it belongs. */
static inline uint32_t *find_place(const tw_exact *x, uint64_t hash, tw_value v)
{
    for (uint32_t i = (uint32_t)hash & x->mask;; i = (i + 1) & x->mask) {
        uint32_t *place = &x->places[i];
        if (*place == 0)
            return place;
        const entry *e = &x->entries[*place - 1];
        if (e->hash == hash && same(e->value, v))
            return place;
    }
}

tw_exact *tw_exact_new(void)
{
    tw_exact *x = tw_alloc(sizeof *x);
    x->mask = 15;
    x->places = tw_calloc(x->mask + 1, sizeof *x->places);
    return x;
}

void tw_exact_free(tw_exact *x)
{
    if (!x)
        return;
    tw_free(x->entries);
    tw_free(x->places);
    tw_free(x->links);
    tw_free(x->targets);
    tw_filter_done(&x->filter);
    tw_free(x);
}

static void grow_places(tw_exact *x)
{
    tw_free(x->places);
    x->mask = x->mask * 2 + 1;
    x->places = tw_calloc((size_t)x->mask + 1, sizeof *x->places);
    for (uint32_t i = 0; i < x->entry_count; i++)
        *find_place(x, x->entries[i].hash, x->entries[i].value) = i + 1;
}

static entry *entry_of(tw_exact *x, tw_value v)
{
    uint64_t hash = hash_value(v);
    uint32_t *place = find_place(x, hash, v);
    if (*place)
        return &x->entries[*place - 1];
    if (x->entry_count == x->entry_cap) {
        x->entry_cap = x->entry_cap ? x->entry_cap * 2 : 16;
        x->entries = tw_realloc(x->entries, x->entry_cap * sizeof *x->entries);
    }
    entry *e = &x->entries[x->entry_count++];
    *e = (entry){.hash = hash, .value = v, .first = NONE, .tail = NONE};
    *place = x->entry_count;
    if (x->entry_count * 2 > x->mask)
        grow_places(x);
    return e;
}

void tw_exact_add(tw_exact *x, tw_value v, uint32_t target)
{
    entry *e = entry_of(x, canonical(v));
    if (e->tail != NONE && x->links[e->tail].target == target)
        return;
    if (x->link_count == x->link_cap) {
        x->link_cap = x->link_cap ? x->link_cap * 2 : 16;
        x->links = tw_realloc(x->links, x->link_cap * sizeof *x->links);
    }
    x->links[x->link_count] = (link){.target = target, .next = NONE};
    if (e->tail == NONE)
        e->first = x->link_count;
    else
        x->links[e->tail].next = x->link_count;
    e->tail = x->link_count++;
    e->count++;
}

void tw_exact_finish(tw_exact *x)
{
    x->targets = tw_calloc(x->link_count, sizeof *x->targets);
    tw_filter_init(&x->filter, x->entry_count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < x->entry_count; i++) {
        tw_filter_add(&x->filter, x->entries[i].hash);
        uint32_t first = at;
        for (uint32_t k = x->entries[i].first; k != NONE; k = x->links[k].next)
            x->targets[at++] = x->links[k].target;
        x->entries[i].first = first;
    }
    tw_free(x->links);
    x->links = NULL;
}

uint32_t tw_exact_values(const tw_exact *x)
{
    return x->entry_count;
}

uint32_t tw_exact_find(const tw_exact *x, tw_value v, const uint32_t **out)
{
    if (v.type == TW_ABSENT || v.type == TW_JSON || v.type == TW_DECIMAL)
        return 0;
    v = canonical(v);
    uint64_t hash = hash_value(v);
    if (!tw_filter_may_hold(&x->filter, hash))
        return 0;
    uint32_t place = *find_place(x, hash, v);
    if (place == 0)
        return 0;
    const entry *e = &x->entries[place - 1];
    *out = x->targets + e->first;
    return e->count;
}
