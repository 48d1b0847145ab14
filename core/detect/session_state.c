// SPDX-License-Identifier: Apache-2.0
/* The state of a session operator as bytes. One lane's thread, at a barrier. */
#include "detect/session_impl.h"

/* ---- bytes ------------------------------------------------------------------------- */

static void save_key(const session *d, uint32_t number, tw_buf *out)
{
    session_key *k = tw_keyed_at(d->keys, number);
    uint32_t size;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &size);

    tw_state_put_bytes(out, bytes, size);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_i64(out, k->ended_ms);
    tw_state_put_i64(out, k->open_until_ms);
    tw_state_put_u64(out, (uint64_t)k->open | (uint64_t)k->told << 1);
    tw_state_put_i64(out, k->start_ms);
    tw_state_put_i64(out, k->stop_ms);
    tw_state_put_u64(out, k->count);
    tw_kept_save(&k->first, out);
    tw_kept_save(&k->newest, out);
    tw_state_put_value(out, k->split ? k->split->values[0] : tw_value_absent());
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        tw_agg_save(&d->aggs, n, session_acc(d, k, n), out);
    }
}

void session_save(const tw_detector *base, tw_buf *out)
{
    const session *d = (const session *)base;

    tw_kept_names_save(d->rule, out);
    tw_state_put_u64(out, d->aggs.count);
    tw_state_put_i64(out, d->clock_ms);
    tw_state_put_u64(out, tw_keyed_count(d->keys));
    for (uint32_t number = tw_keyed_next(d->keys, TW_KEYED_NONE); number != TW_KEYED_NONE;
         number = tw_keyed_next(d->keys, number)) {
        save_key(d, number, out);
    }
}

static bool load_session(session *d, const tw_kept_change *kept, tw_state_in *in,
                         session_key *k)
{
    uint64_t flags;
    tw_value split;

    if (!tw_state_take_u64(in, &flags) || !tw_state_take_i64(in, &k->start_ms) ||
        !tw_state_take_i64(in, &k->stop_ms) || !tw_state_take_u64(in, &k->count) ||
        !tw_kept_load(&k->first, d->slab, kept, in) ||
        !tw_kept_load(&k->newest, d->slab, kept, in) ||
        !tw_state_take_value(in, &split)) {
        return false;
    }
    k->open = flags & 1;
    k->told = flags >> 1 & 1;
    if (split.type != TW_ABSENT) {
        k->split = tw_carried_put_values(d->slab, NULL, &split, 1);
    }
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        if (!tw_agg_load(&d->aggs, d->slab, n, in, session_acc(d, k, n))) {
            return false;
        }
    }
    return true;
}

static bool load_key(session *d, const tw_kept_change *kept, tw_state_in *in)
{
    const void *bytes;
    size_t size;

    if (!tw_state_take_bytes(in, &bytes, &size) || size > TW_MAX_KEY_BYTES) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)size);
    if (tw_keyed_find(d->keys, &key) != TW_KEYED_NONE) {
        return false;
    }
    uint32_t number = session_key_add(d, &key, 0);
    session_key *k = tw_keyed_at(d->keys, number);
    if (!tw_state_take_i64(in, &k->newest_ms) || !tw_state_take_i64(in, &k->ended_ms) ||
        !tw_state_take_i64(in, &k->open_until_ms) || !load_session(d, kept, in, k)) {
        return false;
    }
    tw_timers_set(d->timers, number, session_next(d, k));
    return true;
}

int session_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    session *d = (session *)base;
    uint64_t aggs = 0, keys = 0;
    tw_kept_change kept;
    bool good = tw_kept_names_load(in, d->rule, &kept) && tw_state_take_u64(in, &aggs) &&
                aggs == d->aggs.count && tw_state_take_i64(in, &d->clock_ms) &&
                tw_state_take_u64(in, &keys);

    for (uint64_t n = 0; n < keys && good; n++) {
        good = load_key(d, &kept, in);
    }
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the state of session is not whole");
}
