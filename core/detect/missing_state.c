// SPDX-License-Identifier: Apache-2.0
/* What comes from outside of events and time: the list of a table, and state as bytes. On the lane's thread
 * or, while it is paused, on the shore. */
#include "detect/missing_impl.h"

enum { STATE_VERSION = 1 };

/* ---- the list ---------------------------------------------------------------------- */

static void list_keys(missing *d, int64_t since_ms)
{
    for (uint32_t i = 0; i < tw_expected_count(d->expected); i++) {
        tw_key key = tw_expected_key(d->expected, i);
        if (d->env.lane_count > 1 && key.group % d->env.lane_count != d->env.lane) {
            continue;
        }
        uint32_t number = tw_keyed_find(d->keys, &key);
        if (number == TW_KEYED_NONE) {
            number = missing_key_add(d, &key);
            ((missing_key *)tw_keyed_at(d->keys, number))->base_ms = since_ms;
        }
        missing_key *k = tw_keyed_at(d->keys, number);
        k->flags |= KEY_LISTED;
        k->mark = d->mark;
        missing_key_arm(d, number);
    }
}

/* Keys that the list of `since_ms` does not have any more, or that were learned before there was one. */
static void unlist_keys(missing *d, int64_t since_ms)
{
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE), next; n != TW_KEYED_NONE;
         n = next) {
        const missing_key *k = tw_keyed_at(d->keys, n);
        next = tw_keyed_next(d->keys, n);
        if (k->mark != d->mark) {
            missing_tell_heard(d, n, missing_later(since_ms, k->base_ms), "not expected");
            missing_key_remove(d, n);
        }
    }
}

/* The clock is behind what comes by the lateness: who is new counts from newest_ms, what is gone ends by the clock. */
static void apply_list(missing *d, int64_t newest_ms)
{
    bool has_begun = d->clock_ms != TW_TIME_NONE;

    if (!d->expected || !d->plan->table) {
        return;
    }
    d->mark++;
    list_keys(d, has_begun ? newest_ms : d->wait_ms);
    unlist_keys(d, has_begun ? d->clock_ms : d->wait_ms);
}

void missing_expect(tw_detector *base, tw_expected *set, int64_t clock_ms,
                    int64_t newest_ms)
{
    missing *d = (missing *)base;
    tw_expected *before = d->expected;

    missing_begin(d, clock_ms, newest_ms);
    d->clock_ms = missing_later(d->clock_ms, clock_ms);
    d->expected = tw_expected_ref(set);
    tw_expected_unref(before);
    apply_list(d, missing_later(newest_ms, d->clock_ms));
}

/* ---- bytes ------------------------------------------------------------------------- */

static void save_key(const missing *d, uint32_t number, tw_buf *out)
{
    const missing_key *k = tw_keyed_at(d->keys, number);
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &len);

    tw_state_put_bytes(out, bytes, len);
    tw_state_put_i64(out, k->base_ms);
    tw_state_put_i64(out, k->newest_ms);
    tw_state_put_i64(out, k->every_ms);
    tw_state_put_u64(out, k->flags);
    tw_kept_save(&k->kept, out);
}

void missing_save(const tw_detector *base, tw_buf *out)
{
    const missing *d = (const missing *)base;

    tw_state_put_u64(out, STATE_VERSION);
    tw_kept_names_save(d->rule, out);
    tw_state_put_i64(out, d->clock_ms);
    tw_state_put_i64(out, d->wait_ms);
    tw_state_put_u64(out, d->source_told);
    tw_state_put_i64(out, d->source_ms);
    tw_state_put_u64(out, d->run_count);
    for (uint32_t i = 0; i < d->run_count; i++) {
        tw_state_put_i64(out, d->runs[i].from_ms);
        tw_state_put_i64(out, d->runs[i].to_ms);
    }
    tw_state_put_u64(out, tw_keyed_count(d->keys));
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        save_key(d, n, out);
    }
}

static bool load_key(missing *d, const tw_kept_change *kept, tw_state_in *in)
{
    const void *bytes;
    size_t size;
    uint64_t flags;
    missing_key read = {0};

    if (!tw_state_take_bytes(in, &bytes, &size) || size > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(in, &read.base_ms) ||
        !tw_state_take_i64(in, &read.newest_ms) ||
        !tw_state_take_i64(in, &read.every_ms) || !tw_state_take_u64(in, &flags) ||
        flags > (KEY_LISTED | KEY_MISSING | KEY_TOLD | KEY_STOPPED)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)size);
    uint32_t number = tw_keyed_find(d->keys, &key);
    number = number == TW_KEYED_NONE ? missing_key_add(d, &key) : number;
    missing_key *k = tw_keyed_at(d->keys, number);
    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    k->base_ms = read.base_ms;
    k->newest_ms = read.newest_ms;
    k->every_ms = read.every_ms;
    k->flags = (uint8_t)flags;
    if (!tw_kept_load(&k->kept, d->slab, kept, in)) {
        return false;
    }
    missing_key_arm(d, number);
    return true;
}

static bool load_source(missing *d, tw_state_in *in)
{
    uint64_t told, runs;

    if (!tw_state_take_u64(in, &told) || !tw_state_take_i64(in, &d->source_ms) ||
        !tw_state_take_u64(in, &runs) || runs > MAX_RUNS) {
        return false;
    }
    d->source_told = told != 0;
    d->run_count = (uint32_t)runs;
    for (uint32_t i = 0; i < d->run_count; i++) {
        if (!tw_state_take_i64(in, &d->runs[i].from_ms) ||
            !tw_state_take_i64(in, &d->runs[i].to_ms)) {
            return false;
        }
    }
    return true;
}

int missing_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    missing *d = (missing *)base;
    uint64_t version, count = 0;
    tw_kept_change kept;
    bool good = tw_state_take_u64(in, &version) && version == STATE_VERSION &&
                tw_kept_names_load(in, d->rule, &kept) &&
                tw_state_take_i64(in, &d->clock_ms) &&
                tw_state_take_i64(in, &d->wait_ms) && load_source(d, in) &&
                tw_state_take_u64(in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        good = load_key(d, &kept, in);
    }
    if (!good) {
        return tw_err_set(err, TW_EPARSE, "%s: the state is not what was saved",
                          d->rule->name);
    }
    /* of a table that was read anew meanwhile */
    apply_list(d, d->clock_ms + (d->clock_ms != TW_TIME_NONE ? d->rule->lateness_ms : 0));
    return TW_OK;
}
