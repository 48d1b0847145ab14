// SPDX-License-Identifier: Apache-2.0
/* What a handler knows as bytes, and back: key by key its newest time, what is open, values, timers and carried
 * fields. Carried fields of another list of names are dropped, as at a reload. Lane thread, at a barrier. */
#include <string.h>

#include "detect/handler_impl.h"

enum { MOST_NAME = 4096 };

/* ---- out --------------------------------------------------------------------------- */

static void names_save(char *const *names, uint32_t count, tw_buf *out)
{
    tw_state_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++)
        tw_state_put_bytes(out, names[i], strlen(names[i]));
}

static void items_save(const handler_item *list, tw_buf *out)
{
    uint64_t count = 0;

    for (const handler_item *item = list; item; item = item->next)
        count++;
    tw_state_put_u64(out, count);
    for (const handler_item *item = list; item; item = item->next) {
        tw_state_put_bytes(out, item->name, item->name_len);
        tw_state_put_i64(out, item->at_ms);
        tw_state_put_value(out, item->value);
    }
}

static void carried_save(const tw_carried *c, tw_buf *out)
{
    tw_state_put_u64(out, c != NULL);
    for (uint32_t i = 0; c && i < c->count; i++)
        tw_state_put_value(out, c->values[i]);
}

static void key_save(const handler *h, uint32_t number, tw_buf *out)
{
    const handler_key *k = tw_keyed_at(h->keys, number);
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(h->keys, number, &len);

    tw_state_put_bytes(out, bytes, len);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_i64(out, k->open_until_ms);
    tw_state_put_origin(out, &k->origin);
    items_save(k->values, out);
    items_save(k->timers, out);
    carried_save(k->carried, out);
    carried_save(k->carried_first, out);
}

void handler_save(const tw_detector *base, tw_buf *out)
{
    const handler *h = (const handler *)base;
    const tw_rule *r = h->rule;

    names_save(r->carried, r->carried_count, out);
    names_save(r->carried_first, r->carried_first_count, out);
    tw_state_put_i64(out, h->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(h->keys));
    for (uint32_t n = tw_keyed_next(h->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(h->keys, n))
        key_save(h, n, out);
}

/* ---- in ---------------------------------------------------------------------------- */

/* A list of carried fields as it was saved. */
typedef struct saved_names {
    uint32_t count;
    bool same; /* as the rule's own */
} saved_names;

static bool names_load(tw_state_in *in, char *const *names, uint32_t count,
                       saved_names *out)
{
    const void *name;
    size_t len;

    if (!tw_state_take_u32(in, &out->count))
        return false;
    out->same = out->count == count;
    for (uint32_t i = 0; i < out->count; i++) {
        if (!tw_state_take_bytes(in, &name, &len))
            return false;
        out->same =
            out->same && strlen(names[i]) == len && memcmp(names[i], name, len) == 0;
    }
    return true;
}

/* In the order in which they were written. */
static bool items_load(handler *h, tw_state_in *in, handler_item **list,
                       uint32_t *out_count)
{
    const void *text;
    size_t len;
    uint64_t count;

    if (!tw_state_take_u64(in, &count))
        return false;
    *out_count = 0;
    for (uint64_t i = 0; i < count; i++, ++*out_count) {
        char name[MOST_NAME];
        int64_t at_ms;
        tw_value value;
        if (!tw_state_take_bytes(in, &text, &len) || len >= sizeof name ||
            !tw_state_take_i64(in, &at_ms) || !tw_state_take_value(in, &value))
            return false;
        memcpy(name, text, len);
        name[len] = '\0';
        handler_item *item = handler_item_new(h, name, value);
        item->at_ms = at_ms;
        *list = item;
        list = &item->next;
    }
    return true;
}

static bool carried_load(handler *h, tw_state_in *in, const saved_names *names,
                         tw_carried **out)
{
    uint64_t there;

    if (!tw_state_take_u64(in, &there) || there > 1)
        return false;
    if (!there)
        return true;
    if (names->count > (size_t)(in->end - in->at)) /* a value is a byte at least */
        return false;
    tw_value *values = tw_calloc(names->count + 1, sizeof *values);
    bool good = true;
    for (uint32_t i = 0; i < names->count && good; i++)
        good = tw_state_take_value(in, &values[i]);
    if (good && names->same)
        *out = tw_carried_put_values(h->slab, NULL, values, names->count);
    tw_free(values);
    return good;
}

static bool parts_load(handler *h, tw_state_in *in, const saved_names names[2],
                       handler_key *k)
{
    uint32_t value_count;

    if (!tw_state_take_i64(in, &k->newest_ms) ||
        !tw_state_take_i64(in, &k->open_until_ms) ||
        !tw_state_take_origin(in, &k->origin))
        return false;
    bool good = items_load(h, in, &k->values, &value_count) &&
                items_load(h, in, &k->timers, &k->timer_count) &&
                carried_load(h, in, &names[0], &k->carried) &&
                carried_load(h, in, &names[1], &k->carried_first);
    for (const handler_item *item = k->values; item; item = item->next)
        k->value_bytes += handler_item_cost(item);
    return good;
}

static bool key_load(handler *h, tw_state_in *in, const saved_names names[2])
{
    const void *bytes;
    size_t len;

    if (!tw_state_take_bytes(in, &bytes, &len) || len > TW_MAX_KEY_BYTES)
        return false;
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
    if (tw_keyed_find(h->keys, &key) != TW_KEYED_NONE)
        return false;
    handler_key_add(h, &key, 0);
    if (!parts_load(h, in, names, handler_current(h)))
        return false;
    tw_timers_set(h->wheel, h->number, handler_key_next(h, handler_current(h)));
    return true;
}

int handler_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    handler *h = (handler *)base;
    const tw_rule *r = h->rule;
    saved_names names[2];
    uint64_t count = 0;

    bool good = names_load(in, r->carried, r->carried_count, &names[0]) &&
                names_load(in, r->carried_first, r->carried_first_count, &names[1]) &&
                tw_state_take_i64(in, &h->clock_ms) && tw_state_take_u64(in, &count);
    for (uint64_t i = 0; i < count && good; i++)
        good = key_load(h, in, names);
    return good && in->at == in->end
               ? TW_OK
               : tw_err_set(err, TW_EPARSE, "the state of a handler is broken");
}
