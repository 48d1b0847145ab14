// SPDX-License-Identifier: Apache-2.0
/* Periods by key; see throttle.h. Owns the table and its timers.
 *
 * A period that is over is kept for an hour more, so that what comes out of order finds it whichever
 * keys the lane has besides. */
#include "detect/throttle.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "state/timers.h"

#define KEPT_MS INT64_C(3600000)

typedef struct period {
    int64_t start_ms;
    uint64_t count; /* that went out */
    tw_timer timer; /* when it is forgotten */
} period;

struct tw_throttle {
    const tw_rule *rule;
    tw_keyed *periods;
    tw_timers *timers;
    int64_t told_ms; /* of the last that was refused */
};

tw_throttle *tw_throttle_new(const tw_rule *rule)
{
    tw_throttle *t = tw_alloc(sizeof *t);

    t->rule = rule;
    t->periods = tw_keyed_new(sizeof(period));
    t->timers = tw_timers_new(t->periods, offsetof(period, timer));
    t->told_ms = TW_TIME_NONE;
    return t;
}

void tw_throttle_free(tw_throttle *t)
{
    if (!t) {
        return;
    }
    tw_timers_free(t->timers);
    tw_keyed_free(t->periods);
    tw_free(t);
}

static int64_t per_ms(const tw_throttle *t)
{
    return t->rule->emit->throttle_per_ms;
}

static void forget_before(tw_throttle *t, int64_t clock_ms)
{
    int64_t due_ms;
    uint32_t number;

    while (tw_timers_next(t->timers) < clock_ms &&
           (number = tw_timers_pop(t->timers, clock_ms, &due_ms)) != TW_KEYED_NONE) {
        tw_keyed_remove(t->periods, number);
    }
}

static void begin(tw_throttle *t, uint32_t number, int64_t start_ms, uint64_t count)
{
    period *p = tw_keyed_at(t->periods, number);

    p->start_ms = start_ms;
    p->count = count;
    tw_timers_set(t->timers, number, start_ms + per_ms(t) + KEPT_MS);
}

static uint32_t add(tw_throttle *t, const tw_key *key)
{
    while (tw_keyed_count(t->periods) >= t->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(t->periods, offsetof(period, start_ms));
        tw_timers_set(t->timers, oldest, TW_TIMER_OFF);
        tw_keyed_remove(t->periods, oldest);
    }
    uint32_t number = tw_keyed_add(t->periods, key);
    tw_timer_init(&((period *)tw_keyed_at(t->periods, number))->timer);
    return number;
}

bool tw_throttle_takes(tw_throttle *t, const tw_key *key, int64_t time_ms,
                       int64_t clock_ms)
{
    if (clock_ms != TW_TIME_NONE) {
        forget_before(t, clock_ms < time_ms ? clock_ms : time_ms);
    }
    uint32_t number = tw_keyed_find(t->periods, key);
    if (number == TW_KEYED_NONE) {
        begin(t, add(t, key), time_ms, 1);
        return true;
    }
    period *p = tw_keyed_at(t->periods, number);
    tw_keyed_touch(t->periods, number);
    if (time_ms >= p->start_ms + per_ms(t)) {
        begin(t, number, time_ms, 1);
        return true;
    }
    if (p->count >= t->rule->emit->throttle_max) {
        return false;
    }
    p->count++;
    return true;
}

bool tw_throttle_is_news(tw_throttle *t, int64_t time_ms)
{
    bool news = t->told_ms == TW_TIME_NONE || time_ms >= t->told_ms + per_ms(t);

    t->told_ms = news || time_ms > t->told_ms ? time_ms : t->told_ms;
    return news;
}

void tw_throttle_adopt(tw_throttle *t, tw_throttle *old)
{
    tw_throttle fresh = *t;

    t->periods = old->periods;
    t->timers = old->timers;
    t->told_ms = old->told_ms;
    old->periods = fresh.periods;
    old->timers = fresh.timers;
    for (uint32_t n = tw_keyed_next(t->periods, TW_KEYED_NONE);
         n != TW_KEYED_NONE && per_ms(t) != per_ms(old);
         n = tw_keyed_next(t->periods, n)) {
        const period *p = tw_keyed_at(t->periods, n);
        begin(t, n, p->start_ms, p->count);
    }
}

void tw_throttle_save(const tw_throttle *t, tw_buf *out)
{
    tw_state_put_i64(out, t->told_ms);
    tw_state_put_u64(out, tw_keyed_count(t->periods));
    for (uint32_t n = tw_keyed_next(t->periods, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(t->periods, n)) {
        const period *p = tw_keyed_at(t->periods, n);
        uint32_t len;
        const uint8_t *bytes = tw_keyed_bytes(t->periods, n, &len);
        tw_state_put_bytes(out, bytes, len);
        tw_state_put_i64(out, p->start_ms);
        tw_state_put_u64(out, p->count);
    }
}

static bool period_load(tw_throttle *t, tw_state_in *in)
{
    const void *bytes;
    size_t len;
    int64_t start_ms;
    uint64_t count;

    if (!tw_state_take_bytes(in, &bytes, &len) || len > TW_MAX_KEY_BYTES ||
        !tw_state_take_i64(in, &start_ms) || !tw_state_take_u64(in, &count)) {
        return false;
    }
    tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
    if (tw_keyed_find(t->periods, &key) != TW_KEYED_NONE) {
        return false;
    }
    begin(t, add(t, &key), start_ms, count);
    return true;
}

int tw_throttle_load(tw_throttle *t, tw_state_in *in, tw_err *err)
{
    uint64_t count = 0;
    bool good = tw_state_take_i64(in, &t->told_ms) && tw_state_take_u64(in, &count);

    for (uint64_t n = 0; good && n < count; n++) {
        good = period_load(t, in);
    }
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the state of throttle is broken");
}

uint32_t tw_throttle_count(const tw_throttle *t)
{
    return tw_keyed_count(t->periods);
}
