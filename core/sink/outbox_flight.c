// SPDX-License-Identifier: Apache-2.0
/* Deliveries: batches leave, answers come back. After a failure the destination as a
 * whole is paused, and then tried with one delivery at a time until one gets through; the
 * records that failed wait longer still, by their own count, so that a record that
 * poisons its request does not hold the others up.
 *
 * Back-off is exponential with full jitter: uniform between 0 and min(max, base * 2^n),
 * after M. Brooker, "Exponential Backoff And Jitter" (2015). */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "sink/outbox_impl.h"

/* Deliveries a sink never answered may not pile up for ever. */
#define MAX_ABANDONED 64
/* A sink that answers at once must not keep the loop for itself. */
#define SENDS_PER_TURN 256
#define LOG_EVERY_MS 1000

/* ---- back-off ---- */

/* splitmix64 */
static uint64_t next_random(tw_outbox *o)
{
    uint64_t z = (o->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t backoff_ms(tw_outbox *o, uint32_t failures)
{
    int64_t limit = o->options.backoff_ms;

    for (uint32_t i = 1; i < failures && limit < o->options.backoff_max_ms; i++)
        limit *= 2;
    if (limit > o->options.backoff_max_ms)
        limit = o->options.backoff_max_ms;
    return 1 + (int64_t)(next_random(o) % (uint64_t)limit);
}

/* Retry-After counts as far as it leaves time for a few attempts: a receiver that says
 * "next year" would silence the sink for as long. */
static int64_t retry_after_ms(const tw_outbox *o, const tw_answer *a)
{
    int64_t limit_ms = o->options.max_age_ms / 4;
    return a->retry_after_ms < limit_ms ? a->retry_after_ms : limit_ms;
}

/* ---- leaving ---- */

/* Fills batch with what may go now; out_next_ms: when the first of the rest may. */
static uint32_t pick(tw_outbox *o, outbox_item **batch, int64_t now_ms,
                     int64_t *out_next_ms)
{
    uint32_t limit = o->max_batch;
    uint32_t count = 0;

    o->batch++;
    for (outbox_item *item = o->first; item && count < limit; item = item->next) {
        if (!tw_outbox_item_may_go(o, item, now_ms)) {
            if (!item->in_flight && item->not_before_ms > now_ms &&
                item->not_before_ms < *out_next_ms)
                *out_next_ms = item->not_before_ms;
            continue;
        }
        if (count >= item->max_batch)
            break;
        if (item->max_batch < limit)
            limit = item->max_batch;
        batch[count++] = item;
        if (item->key)
            item->key->picked = o->batch;
    }
    return count;
}

static void depart(tw_outbox *o, outbox_item **batch, uint32_t count, int64_t now_ms)
{
    outbox_flight *f = tw_alloc(sizeof *f);

    f->items = tw_calloc(count, sizeof(outbox_item *));
    f->records = tw_calloc(count, sizeof(tw_record *));
    f->parcels = tw_calloc(count, sizeof(tw_parcel *));
    f->delivery =
        (tw_delivery){.size = sizeof f->delivery, .records = f->records, .count = count};
    f->deadline_ms = now_ms + o->options.timeout_ms;
    for (uint32_t i = 0; i < count; i++) {
        outbox_item *item = batch[i];
        tw_outbox_item_depart(o, item);
        item->attempts++;
        if (item->attempts > f->delivery.attempt)
            f->delivery.attempt = item->attempts;
        f->items[i] = item;
        f->parcels[i] = tw_parcel_ref(item->parcel);
        f->records[i] = &item->parcel->record;
    }
    o->open_flights++;
    f->next = o->flights;
    o->flights = f;
    o->options.type->deliver(o->instance, &f->delivery); /* may end f at once */
}

int64_t tw_outbox_send(tw_outbox *o, int64_t now_ms)
{
    if (!o->instance || o->disabled || o->stop_reason || !o->first ||
        o->abandoned_flights >= MAX_ABANDONED)
        return INT64_MAX;

    outbox_item **batch = tw_calloc(o->max_batch, sizeof *batch);
    int64_t next_ms = INT64_MAX;
    for (uint32_t sent = 0; o->instance && !o->disabled && !o->stop_reason; sent++) {
        uint32_t room = o->failures ? 1 : o->max_inflight;
        if (o->pause_until_ms > now_ms) {
            next_ms = o->pause_until_ms;
            break;
        }
        if (o->open_flights >= room)
            break;
        if (sent == SENDS_PER_TURN) {
            next_ms = now_ms;
            break;
        }
        next_ms = INT64_MAX;
        uint32_t count = pick(o, batch, now_ms, &next_ms);
        if (count == 0)
            break;
        depart(o, batch, count, now_ms);
    }
    tw_free(batch);
    return next_ms;
}

/* ---- coming back ---- */

static void again_item(tw_outbox *o, outbox_item *item, int64_t not_before_ms)
{
    tw_outbox_item_land(o, item);
    item->not_before_ms = not_before_ms;
    if (o->stop_reason)
        tw_outbox_item_dead(o, item, TW_DEAD_STOP, o->stop_reason);
    else if (o->disabled)
        tw_outbox_item_dead(o, item, TW_DEAD_DISABLED, "the destination is gone");
}

static void drop_item(tw_outbox *o, outbox_item *item, tw_dead_reason why,
                      const char *text)
{
    tw_outbox_item_land(o, item);
    tw_outbox_item_dead(o, item, why, text);
}

static void remember_error(tw_outbox *o, const char *text)
{
    char *copy = tw_strdup(text ? text : "no reason given");
    tw_free(o->last_error);
    o->last_error = copy;
}

/* The first failure and then every doubling is worth a line. */
static void note_failure(tw_outbox *o, const char *text)
{
    o->failures++;
    remember_error(o, text);
    if ((o->failures & (o->failures - 1)) == 0)
        tw_log_warn("outbox", "a delivery failed and will be tried again", "sink",
                    o->name, "failures", TW_LOG_INT(o->failures), "reason", o->last_error,
                    NULL);
}

static void note_success(tw_outbox *o, int64_t now_ms)
{
    o->moved_ms = now_ms;
    if (o->failures)
        tw_log_info("outbox", "deliveries get through again", "sink", o->name, "failures",
                    TW_LOG_INT(o->failures), NULL);
    o->failures = 0;
}

static void retry_all(tw_outbox *o, outbox_flight *f, const tw_answer *a, int64_t now_ms)
{
    note_failure(o, a->text);
    o->pause_until_ms = now_ms + (a->retry_after_ms > 0 ? retry_after_ms(o, a)
                                                        : backoff_ms(o, o->failures));
    if (a->retry_after_ms > 0)
        o->moved_ms = o->pause_until_ms; /* who says when to come again is alive */
    for (size_t i = 0; i < f->delivery.count; i++) {
        int64_t own_ms = now_ms + backoff_ms(o, f->items[i]->attempts);
        again_item(o, f->items[i],
                   own_ms > o->pause_until_ms ? own_ms : o->pause_until_ms);
    }
}

/* Some were taken, so the destination lives; the others wait by their own count. */
static void retry_part(tw_outbox *o, outbox_flight *f, const tw_answer *a, int64_t now_ms)
{
    note_success(o, now_ms);
    remember_error(o, a->text);
    if (a->retry_after_ms > 0)
        o->moved_ms = o->pause_until_ms = now_ms + retry_after_ms(o, a);
    for (size_t i = 0; i < f->delivery.count; i++) {
        outbox_item *item = f->items[i];
        if (a->retry && a->retry[i])
            again_item(o, item,
                       now_ms + (a->retry_after_ms > 0 ? retry_after_ms(o, a)
                                                       : backoff_ms(o, item->attempts)));
        else
            tw_outbox_item_remove(o, item);
    }
}

/* One a second is worth a line; the others are counted in it. */
static void note_refusal(tw_outbox *o, size_t records, const char *text, int64_t now_ms)
{
    remember_error(o, text);
    if (o->refusals && now_ms - o->refusal_logged_ms < LOG_EVERY_MS) {
        o->refusals++;
        return;
    }
    tw_log_error("outbox", "a delivery was refused", "sink", o->name, "records",
                 TW_LOG_INT(records), "reason", o->last_error, "not_logged_since",
                 TW_LOG_INT(o->refusals ? o->refusals - 1 : 0), NULL);
    o->refusals = 1;
    o->refusal_logged_ms = now_ms;
}

static void drop_all(tw_outbox *o, outbox_flight *f, tw_dead_reason why, const char *text,
                     int64_t now_ms)
{
    note_refusal(o, f->delivery.count, text, now_ms);
    for (size_t i = 0; i < f->delivery.count; i++)
        drop_item(o, f->items[i], why, o->last_error);
}

/* Halving ends at one record, which is then dropped: a split never loops. */
static void split(tw_outbox *o, outbox_flight *f, const tw_answer *a, int64_t now_ms)
{
    if (f->delivery.count == 1) {
        drop_all(o, f, TW_DEAD_DROP, a->text, now_ms);
        return;
    }
    remember_error(o, a->text);
    o->moved_ms = now_ms;
    for (size_t i = 0; i < f->delivery.count; i++) {
        f->items[i]->max_batch = (uint32_t)(f->delivery.count + 1) / 2;
        again_item(o, f->items[i], now_ms);
    }
}

static void disable(tw_outbox *o, outbox_flight *f, const tw_answer *a, int64_t now_ms)
{
    o->disabled = true;
    drop_all(o, f, TW_DEAD_DISABLED, a->text, now_ms);
    tw_log_error("outbox",
                 "the destination is gone; nothing is sent there until a restart", "sink",
                 o->name, NULL);
    tw_outbox_items_dead(o, TW_DEAD_DISABLED, "the destination is gone");
}

static void settle_flight(tw_outbox *o, outbox_flight *f, const tw_answer *a,
                          int64_t now_ms)
{
    tw_count(o->answers[a->answer], 1);
    switch (a->answer) {
    case TW_ANSWER_DONE:
        note_success(o, now_ms);
        for (size_t i = 0; i < f->delivery.count; i++)
            tw_outbox_item_remove(o, f->items[i]);
        break;
    case TW_ANSWER_RETRY:
        retry_all(o, f, a, now_ms);
        break;
    case TW_ANSWER_RETRY_PART:
        retry_part(o, f, a, now_ms);
        break;
    case TW_ANSWER_SPLIT:
        split(o, f, a, now_ms);
        break;
    case TW_ANSWER_DROP:
        note_success(o, now_ms);
        drop_all(o, f, TW_DEAD_DROP, a->text, now_ms);
        break;
    case TW_ANSWER_DISABLE:
        disable(o, f, a, now_ms);
        break;
    }
}

void tw_outbox_flight_free(outbox_flight *f)
{
    for (size_t i = 0; i < f->delivery.count; i++)
        tw_parcel_unref(f->parcels[i]);
    tw_free(f->items);
    tw_free(f->records);
    tw_free(f->parcels);
    tw_free(f);
}

/* A delivery that is not among the flights was answered before: a fault of the sink that
 * must not become one of the engine. */
static outbox_flight *take_flight(tw_outbox *o, const tw_delivery *d)
{
    for (outbox_flight **at = &o->flights; *at; at = &(*at)->next) {
        outbox_flight *f = *at;
        if (&f->delivery != d)
            continue;
        *at = f->next;
        return f;
    }
    return NULL;
}

void tw_outbox_settle(tw_outbox *o, tw_delivery *d, const tw_answer *a, int64_t now_ms)
{
    outbox_flight *f = take_flight(o, d);

    if (!f || (unsigned)a->answer >= TW_ANSWER_CLASSES) {
        tw_log_error("outbox", "an answer that belongs to no delivery", "sink", o->name,
                     NULL);
        if (f) {
            f->next = o->flights;
            o->flights = f;
        }
        return;
    }
    if (f->abandoned) {
        o->abandoned_flights--;
    } else {
        o->open_flights--;
        settle_flight(o, f, a, now_ms);
    }
    tw_outbox_flight_free(f);
}

/* ---- no answer ---- */

static void abandon(tw_outbox *o, outbox_flight *f, int64_t now_ms)
{
    char text[64];

    snprintf(text, sizeof text, "no answer within %lld ms",
             (long long)o->options.timeout_ms);
    f->abandoned = true;
    o->open_flights--;
    o->abandoned_flights++;
    settle_flight(o, f, &(tw_answer){.answer = TW_ANSWER_RETRY, .text = text}, now_ms);
}

void tw_outbox_end_overdue(tw_outbox *o, int64_t now_ms)
{
    for (outbox_flight *f = o->flights; f; f = f->next) {
        if (!f->abandoned && f->deadline_ms <= now_ms)
            abandon(o, f, now_ms);
    }
}

int64_t tw_outbox_next_deadline(const tw_outbox *o)
{
    int64_t next_ms = INT64_MAX;

    for (const outbox_flight *f = o->flights; f; f = f->next) {
        if (!f->abandoned && f->deadline_ms < next_ms)
            next_ms = f->deadline_ms;
    }
    return next_ms;
}
