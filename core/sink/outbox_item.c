// SPDX-License-Identifier: Apache-2.0
/* The records that wait, in the order they were put. An item stays in the list while it
 * is in flight, so a retry keeps its place. The walk that fills a batch passes each key
 * at most once: after one record of a key had to stay, its later ones stay too. */
#include <stdlib.h>

#include "base/mem.h"
#include "sink/outbox_impl.h"

/* However few the records: this is what events may hold together, and all others. */
#define MAX_BYTES (64u << 20)

static outbox_key *key_of(tw_outbox *o, const char *text)
{
    if (!text)
        return NULL;
    outbox_key *key = tw_map_get(o->keys, text);
    if (!key) {
        key = tw_alloc(sizeof *key);
        key->text = tw_strdup(text);
        tw_map_put(o->keys, text, key);
    }
    key->items++;
    return key;
}

static void release_key(tw_outbox *o, outbox_key *key)
{
    if (!key || --key->items > 0)
        return;
    tw_map_remove(o->keys, key->text);
    tw_free(key->text);
    tw_free(key);
}

static bool is_event(const outbox_item *item)
{
    return item->parcel->record.kind == TW_RECORD_EVENT;
}

outbox_item *tw_outbox_item_add(tw_outbox *o, tw_parcel *p, int64_t now_ms)
{
    outbox_item *item = tw_alloc(sizeof *item);

    item->parcel = tw_parcel_ref(p);
    item->key = key_of(o, p->record.key);
    item->max_batch = o->max_batch;
    item->put_ms = now_ms;
    item->not_before_ms = now_ms;
    item->bytes = p->record.json_size + p->record.data_size;
    item->previous = o->last;
    if (o->last)
        o->last->next = item;
    else
        o->first = item;
    o->last = item;
    o->count++;
    o->bytes += item->bytes;
    if (is_event(item)) {
        o->events++;
        o->event_bytes += item->bytes;
    }
    return item;
}

void tw_outbox_item_remove(tw_outbox *o, outbox_item *item)
{
    if (item->previous)
        item->previous->next = item->next;
    else
        o->first = item->next;
    if (item->next)
        item->next->previous = item->previous;
    else
        o->last = item->previous;
    o->count--;
    o->bytes -= item->bytes;
    if (is_event(item)) {
        o->events--;
        o->event_bytes -= item->bytes;
    }
    if (item->in_flight) {
        o->in_flight_records--;
        if (item->key)
            item->key->in_flight--;
    }
    release_key(o, item->key);
    tw_parcel_unref(item->parcel);
    tw_free(item);
    tw_outbox_feel_pressure(o);
}

/* Out of the list first: whoever is told may put something in. */
void tw_outbox_item_dead(tw_outbox *o, outbox_item *item, tw_dead_reason why,
                         const char *text)
{
    tw_parcel *p = tw_parcel_ref(item->parcel);

    tw_outbox_item_remove(o, item);
    tw_count(o->given_up[why], 1);
    if (o->options.dead)
        o->options.dead(o->options.dead_self, p, text);
    tw_parcel_unref(p);
}

static outbox_item *oldest_waiting(const tw_outbox *o)
{
    outbox_item *item = o->first;
    while (item && item->in_flight)
        item = item->next;
    return item;
}

static outbox_item *oldest_waiting_of(const tw_outbox *o, bool events)
{
    outbox_item *item = o->first;
    while (item && (item->in_flight || is_event(item) != events))
        item = item->next;
    return item;
}

void tw_outbox_items_dead(tw_outbox *o, tw_dead_reason why, const char *text)
{
    for (outbox_item *item = oldest_waiting(o); item; item = oldest_waiting(o))
        tw_outbox_item_dead(o, item, why, text);
}

static bool is_beyond(const tw_outbox *o, bool events)
{
    size_t count = events ? o->events : o->count - o->events;
    size_t bytes = events ? o->event_bytes : o->bytes - o->event_bytes;

    return count > o->options.max_records || bytes > MAX_BYTES;
}

static void make_room_of(tw_outbox *o, bool events)
{
    while (is_beyond(o, events)) {
        outbox_item *item = oldest_waiting_of(o, events);
        if (!item)
            return;
        tw_outbox_item_dead(o, item, TW_DEAD_OVERFLOW, "the outbox is full");
    }
}

void tw_outbox_make_room(tw_outbox *o)
{
    make_room_of(o, false);
    if (o->gives_way)
        make_room_of(o, true);
}

/* Full at the limit, and until half of it is free, so that what was stopped starts for a good while. */
void tw_outbox_feel_pressure(tw_outbox *o)
{
    size_t records = o->options.max_records, bytes = MAX_BYTES;
    bool is_full;

    if (o->is_full)
        is_full = o->events > records / 2 || o->event_bytes > bytes / 2;
    else
        is_full = o->events >= records || o->event_bytes >= bytes;
    if (is_full == o->is_full)
        return;
    o->is_full = is_full;
    if (o->options.pressure)
        o->options.pressure(o->options.pressure_self, is_full);
}

void tw_outbox_expire(tw_outbox *o, int64_t now_ms)
{
    for (outbox_item *item = o->first, *next; item; item = next) {
        next = item->next;
        if (item->put_ms + o->options.max_age_ms > now_ms)
            return;
        if (!item->in_flight)
            tw_outbox_item_dead(o, item, TW_DEAD_AGE, "too old to be delivered");
    }
}

bool tw_outbox_item_may_go(tw_outbox *o, outbox_item *item, int64_t now_ms)
{
    outbox_key *key = item->key;
    bool ready = !item->in_flight && item->not_before_ms <= now_ms;

    if (!key)
        return ready;
    bool alone = key->in_flight == 0 || key->picked == o->batch;
    if (ready && alone && key->passed != o->batch)
        return true;
    key->passed = o->batch;
    return false;
}
