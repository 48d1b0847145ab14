// SPDX-License-Identifier: Apache-2.0
/* Known events by (rule's key, fields of `by`); see dedup.h. Owns the table and its timers. */
#include "detect/dedup.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/detector.h"
#include "state/timers.h"

typedef struct known {
    int64_t first_ms;
    tw_timer timer; /* when it is forgotten */
} known;

struct tw_dedup {
    const tw_dedup_plan *plan;
    tw_keyed *events;
    tw_timers *timers;
};

tw_dedup *tw_dedup_new(const tw_dedup_plan *plan)
{
    tw_dedup *d = tw_alloc(sizeof *d);

    d->plan = plan;
    d->events = tw_keyed_new(sizeof(known));
    d->timers = tw_timers_new(d->events, offsetof(known, timer));
    return d;
}

void tw_dedup_free(tw_dedup *d)
{
    if (!d) {
        return;
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->events);
    tw_free(d);
}

static void forget(tw_dedup *d, uint32_t number)
{
    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    tw_keyed_remove(d->events, number);
}

static void forget_before(tw_dedup *d, int64_t clock_ms)
{
    int64_t due_ms;

    while (tw_timers_next(d->timers) < clock_ms) {
        uint32_t number = tw_timers_pop(d->timers, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            return;
        }
        tw_keyed_remove(d->events, number);
    }
}

static void keep(tw_dedup *d, const tw_key *id, int64_t first_ms)
{
    while (tw_keyed_count(d->events) >= d->plan->max) {
        forget(d, tw_keyed_oldest(d->events, offsetof(known, first_ms)));
    }
    uint32_t number = tw_keyed_add(d->events, id);
    known *k = tw_keyed_at(d->events, number);
    k->first_ms = first_ms;
    tw_timer_init(&k->timer);
    tw_timers_set(d->timers, number, first_ms + d->plan->within_ms);
}

bool tw_dedup_is_repeat(tw_dedup *d, const tw_key *key, uint32_t input,
                        const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    uint8_t bytes[2 * TW_MAX_KEY_BYTES];
    const uint32_t *slots = d->plan->slots + (size_t)input * d->plan->by_count;
    tw_key by;

    if (clock_ms != TW_TIME_NONE) {
        forget_before(d, clock_ms);
    }
    if (!tw_key_from_event(ev, slots, d->plan->by_count, bytes, &by)) {
        return false;
    }
    if (key->len > 0) {
        memcpy(bytes + by.len, key->data, key->len);
    }
    tw_key id = tw_key_from_bytes(bytes, by.len + key->len);
    uint32_t number = tw_keyed_find(d->events, &id);
    if (number != TW_KEYED_NONE) {
        const known *k = tw_keyed_at(d->events, number);
        int64_t apart_ms =
            time_ms > k->first_ms ? time_ms - k->first_ms : k->first_ms - time_ms;
        if (apart_ms <= d->plan->within_ms) {
            return true;
        }
        forget(d, number);
    }
    keep(d, &id, time_ms);
    return false;
}

bool tw_dedup_same_by(const tw_rule *fresh, const tw_rule *old)
{
    const tw_dedup_plan *a = fresh->dedup, *b = old->dedup;
    bool same = a && b && a->by_count == b->by_count;

    for (uint32_t i = 0; same && i < fresh->input_count; i++) {
        int was = tw_edit_input(old, fresh, i);
        same = was < 0 || memcmp(a->slots + (size_t)i * a->by_count,
                                 b->slots + (size_t)was * b->by_count,
                                 a->by_count * sizeof *a->slots) == 0;
    }
    return same;
}

void tw_dedup_adopt(tw_dedup *d, tw_dedup *old)
{
    if (d->plan->by_count != old->plan->by_count) {
        return;
    }
    tw_dedup fresh = *d;
    d->events = old->events;
    d->timers = old->timers;
    old->events = fresh.events;
    old->timers = fresh.timers;
    for (uint32_t n = tw_keyed_next(d->events, TW_KEYED_NONE);
         n != TW_KEYED_NONE && d->plan->within_ms != old->plan->within_ms;
         n = tw_keyed_next(d->events, n)) {
        const known *k = tw_keyed_at(d->events, n);
        tw_timers_set(d->timers, n, k->first_ms + d->plan->within_ms);
    }
}

void tw_dedup_save(const tw_dedup *d, tw_buf *out)
{
    tw_state_put_u64(out, tw_keyed_count(d->events));
    for (uint32_t n = tw_keyed_next(d->events, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->events, n)) {
        const known *k = tw_keyed_at(d->events, n);
        uint32_t len;
        const uint8_t *bytes = tw_keyed_bytes(d->events, n, &len);
        tw_state_put_bytes(out, bytes, len);
        tw_state_put_i64(out, k->first_ms);
    }
}

int tw_dedup_load(tw_dedup *d, tw_state_in *in, tw_err *err)
{
    uint64_t count = 0;
    const void *bytes;
    size_t len;
    int64_t first_ms;

    bool good = tw_state_take_u64(in, &count);
    for (uint64_t n = 0; good && n < count; n++) {
        good = tw_state_take_bytes(in, &bytes, &len) && len <= 2 * TW_MAX_KEY_BYTES &&
               tw_state_take_i64(in, &first_ms);
        if (good) {
            tw_key id = tw_key_from_bytes(bytes, (uint32_t)len);
            good = tw_keyed_find(d->events, &id) == TW_KEYED_NONE;
            if (good) {
                keep(d, &id, first_ms);
            }
        }
    }
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the state of dedup is broken");
}

uint32_t tw_dedup_count(const tw_dedup *d)
{
    return tw_keyed_count(d->events);
}
