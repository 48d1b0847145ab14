// SPDX-License-Identifier: Apache-2.0
/* What is remembered as bytes and back: entries once each, then the entities in the order of their line, with the
 * numbers of their entries. Any thread. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "context/context_impl.h"
#include "state/bytes.h"

#define FORMAT 1
#define MOST_MS (INT64_C(1) << 60)

/* ---- out --------------------------------------------------------------------------- */

static void put_entry(const tw_kept_entry *e, tw_buf *out)
{
    tw_state_put_u64(out, e->kind);
    tw_state_put_i64(out, e->time_ms);
    tw_state_put_u64(out, e->origin.stream);
    tw_state_put_i64(out, e->origin.partition);
    tw_state_put_i64(out, e->origin.offset);
    tw_state_put_u64(out, e->origin.index);
    tw_state_put_u64(out, e->number);
    tw_state_put_bytes(out, e->bytes, e->pair_len);
    tw_state_put_bytes(out, e->bytes + e->pair_len, e->text_len);
}

/* Entries are few of an entity, and shared by few: each is written with the first entity that has it, and the others
 * name it by its number. */
static void put_list(const tw_kept_list *l, tw_map *written, tw_buf *out)
{
    tw_state_put_u64(out, l->count);
    for (uint32_t i = 0; i < l->count; i++) {
        const tw_kept_entry *e = l->items[i];
        uintptr_t place = (uintptr_t)tw_map_get_n(written, &e, sizeof e);
        tw_state_put_u64(out, place);
        if (place)
            continue;
        place = tw_map_count(written) + 1;
        tw_map_put_n(written, &e, sizeof e, (void *)place);
        put_entry(e, out);
    }
}

static void put_kind(const tw_kept_kind *k, tw_map *written, tw_buf *out)
{
    tw_state_put_u64(out, tw_map_count(k->entities));
    for (const tw_kept_entity *x = k->oldest; x; x = x->behind) {
        tw_state_put_bytes(out, x->name, x->name_len);
        tw_state_put_i64(out, x->newest_ms);
        put_list(&x->list, written, out);
    }
}

void tw_context_save(tw_context *c, tw_buf *out)
{
    tw_map *written = tw_map_new(NULL);

    pthread_mutex_lock(&c->lock);
    tw_state_put_u64(out, FORMAT);
    tw_state_put_i64(out, c->newest_ms);
    tw_state_put_u64(out, c->number);
    tw_state_put_u64(out, c->let_go);
    put_kind(&c->kinds[TW_CONTEXT_CHANGES], written, out);
    put_kind(&c->kinds[TW_CONTEXT_ALERTS], written, out);
    pthread_mutex_unlock(&c->lock);
    tw_map_free(written);
}

/* ---- in ---------------------------------------------------------------------------- */

typedef struct loading {
    tw_context *c;
    tw_state_in in;
    tw_kept_entry **entries; /* by number - 1; a reference of each */
    uint64_t count, room;
} loading;

static bool pairs_are_good(const char *p, size_t n)
{
    size_t at = 0;

    for (int part = 0; at < n; part = !part) {
        size_t len = (unsigned char)p[at];
        if (len == 0 || (part && len > TW_CONTEXT_VALUE_BYTES) || len >= n - at)
            return false;
        at += 1 + len;
        if (at == n && !part)
            return false;
    }
    return n > 0;
}

static tw_kept_entry *take_entry(loading *l)
{
    tw_kept_entry head = {.refs = 1};
    uint32_t kind;
    int64_t partition;
    const void *pairs, *text;
    size_t pair_len, text_len;

    if (!tw_state_take_u32(&l->in, &kind) || kind > TW_CONTEXT_ALERTS ||
        !tw_state_take_i64(&l->in, &head.time_ms) ||
        !tw_state_take_u32(&l->in, &head.origin.stream) ||
        !tw_state_take_i64(&l->in, &partition) ||
        !tw_state_take_i64(&l->in, &head.origin.offset) ||
        !tw_state_take_u32(&l->in, &head.origin.index) ||
        !tw_state_take_u64(&l->in, &head.number) ||
        !tw_state_take_bytes(&l->in, &pairs, &pair_len) ||
        !tw_state_take_bytes(&l->in, &text, &text_len) ||
        text_len > TW_CONTEXT_TEXT_BYTES || pair_len > UINT16_MAX ||
        !pairs_are_good(pairs, pair_len))
        return NULL;
    tw_kept_entry *e = tw_alloc(sizeof *e + pair_len + text_len);
    head.kind = (tw_context_kind)kind;
    head.origin.partition = (int32_t)partition;
    head.pair_len = (uint32_t)pair_len;
    head.text_len = (uint32_t)text_len;
    *e = head;
    memcpy(e->bytes, pairs, pair_len);
    memcpy(e->bytes + pair_len, text, text_len);
    return e;
}

static tw_kept_entry *entry_at(loading *l, uint64_t place)
{
    if (place > 0)
        return place <= l->count ? l->entries[place - 1] : NULL;
    tw_kept_entry *e = take_entry(l);
    if (!e)
        return NULL;
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->entries = tw_realloc(l->entries, l->room * sizeof(tw_kept_entry *));
    }
    l->entries[l->count++] = e;
    tw_kept_entry_count(l->c, e);
    return e;
}

static bool take_list(loading *l, tw_kept_entity *x)
{
    uint64_t count;

    if (!tw_state_take_u64(&l->in, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place;
        tw_kept_entry *e = tw_state_take_u64(&l->in, &place) ? entry_at(l, place) : NULL;
        if (!e || e->kind != x->kind)
            return false;
        tw_kept_entity_insert(l->c, x, e);
    }
    return true;
}

static bool take_entity(loading *l, tw_context_kind kind)
{
    const void *name;
    size_t n;
    int64_t newest_ms;

    if (!tw_state_take_bytes(&l->in, &name, &n) || n >= TW_CONTEXT_NAME_BYTES ||
        !tw_state_take_i64(&l->in, &newest_ms))
        return false;
    tw_kept_entity *x = tw_kept_entity_of(l->c, kind, name, n);
    x->newest_ms = newest_ms;
    return take_list(l, x);
}

/* Far from where adding a span would overflow. */
static bool is_time(int64_t ms)
{
    return ms == TW_TIME_NONE || (ms > -MOST_MS && ms < MOST_MS);
}

static bool take_kind(loading *l, tw_context_kind kind)
{
    uint64_t entities;

    if (!tw_state_take_u64(&l->in, &entities))
        return false;
    for (uint64_t i = 0; i < entities; i++)
        if (!take_entity(l, kind))
            return false;
    return true;
}

static bool take_all(loading *l)
{
    uint64_t format;

    return tw_state_take_u64(&l->in, &format) && format == FORMAT &&
           tw_state_take_i64(&l->in, &l->c->newest_ms) && is_time(l->c->newest_ms) &&
           tw_state_take_u64(&l->in, &l->c->number) &&
           tw_state_take_u64(&l->in, &l->c->let_go) && take_kind(l, TW_CONTEXT_CHANGES) &&
           take_kind(l, TW_CONTEXT_ALERTS) && l->in.at == l->in.end;
}

int tw_context_load(tw_context *c, const void *data, size_t size, tw_err *err)
{
    loading l = {.c = c, .in = tw_state_in_of(data, size)};

    pthread_mutex_lock(&c->lock);
    bool good = take_all(&l);
    if (!good)
        c->newest_ms = TW_TIME_NONE; /* whatever the bytes said */
    for (uint64_t i = 0; i < l.count; i++)
        tw_kept_entry_unref(c, l.entries[i]);
    tw_context_settle(c);
    pthread_mutex_unlock(&c->lock);
    tw_free(l.entries);
    return good ? TW_OK
                : tw_err_set(err, TW_EPARSE,
                             "what is remembered of changes cannot be read");
}
