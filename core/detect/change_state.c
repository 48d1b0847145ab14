// SPDX-License-Identifier: Apache-2.0
/* The state of a change operator as bytes. One lane's thread, at a barrier. */
#include "detect/change_impl.h"

/* ---- bytes ------------------------------------------------------------------------- */

static void save_value(const tw_carried *c, tw_buf *out)
{
    tw_state_put_value(out, c ? c->values[0] : tw_value_absent());
}

static void save_key(const change *d, uint32_t number, tw_buf *out)
{
    const change_key *k = tw_keyed_at(d->keys, number);
    uint32_t size;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &size);

    tw_state_put_bytes(out, bytes, size);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_i64(out, k->open_until_ms);
    tw_state_put_u64(out, (uint64_t)k->told | (uint64_t)k->told_pending << 1);
    tw_kept_save(&k->newest, out);
    for (uint32_t n = 0; n < d->plan->count; n++) {
        const change_field *f = &k->fields[n];
        save_value(f->counted, out);
        save_value(f->next, out);
        tw_state_put_i64(out, f->since_ms);
        tw_state_put_u64(out, f->open);
        tw_kept_save(&f->made, out);
    }
}

void change_save(const tw_detector *base, tw_buf *out)
{
    const change *d = (const change *)base;

    tw_kept_names_save(d->rule, out);
    tw_state_put_u64(out, d->plan->count);
    tw_state_put_i64(out, d->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(d->keys));
    for (uint32_t number = tw_keyed_next(d->keys, TW_KEYED_NONE); number != TW_KEYED_NONE;
         number = tw_keyed_next(d->keys, number)) {
        save_key(d, number, out);
    }
}

static bool load_value(change *d, tw_state_in *in, tw_carried **out)
{
    tw_value v;

    tw_carried_give(d->slab, *out);
    *out = NULL;
    if (!tw_state_take_value(in, &v)) {
        return false;
    }
    if (v.type != TW_ABSENT) {
        *out = tw_carried_put_values(d->slab, NULL, &v, 1);
    }
    return true;
}

static bool load_field(change *d, const tw_kept_change *kept, tw_state_in *in,
                       change_field *f)
{
    uint64_t open;

    if (!load_value(d, in, &f->counted) || !load_value(d, in, &f->next) ||
        !tw_state_take_i64(in, &f->since_ms) || !tw_state_take_u64(in, &open) ||
        !tw_kept_load(&f->made, d->slab, kept, in)) {
        return false;
    }
    f->open = open != 0;
    return f->counted || (!f->next && !f->open);
}

static bool load_key(change *d, const tw_kept_change *kept, tw_state_in *in)
{
    const void *bytes;
    size_t size;
    uint64_t flags;

    if (!tw_state_take_bytes(in, &bytes, &size) || size > TW_MAX_KEY_BYTES) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)size);
    if (tw_keyed_find(d->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = change_key_add(d, &key, 0);
    change_key *k = tw_keyed_at(d->keys, number);
    if (!tw_state_take_i64(in, &k->newest_ms) ||
        !tw_state_take_i64(in, &k->open_until_ms) || !tw_state_take_u64(in, &flags) ||
        !tw_kept_load(&k->newest, d->slab, kept, in)) {
        return false;
    }
    k->told = flags & 1;
    k->told_pending = flags >> 1 & 1;
    for (uint32_t n = 0; n < d->plan->count; n++) {
        if (!load_field(d, kept, in, &k->fields[n])) {
            return false;
        }
    }
    tw_timers_set(d->timers, number, change_next(d, k));
    return true;
}

int change_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    change *d = (change *)base;
    uint64_t fields = 0, keys = 0;
    tw_kept_change kept;
    bool good = tw_kept_names_load(in, d->rule, &kept) &&
                tw_state_take_u64(in, &fields) && fields == d->plan->count &&
                tw_state_take_i64(in, &d->clock_ms) && tw_state_take_u64(in, &keys);

    for (uint64_t n = 0; n < keys && good; n++) {
        good = load_key(d, &kept, in);
    }
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the state of change is not whole");
}
