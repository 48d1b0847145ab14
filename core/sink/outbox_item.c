// SPDX-License-Identifier: Apache-2.0
/* The records that wait, in the order they were put. An item stays in the list while it
 * is in flight, so a retry keeps its place. The walk that fills a batch passes each key
 * at most once: after one record of a key had to stay, its later ones stay too. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sink/outbox_impl.h"

/* However few the records: this is what events may hold together, and all others. */
#define MAX_BYTES (64u << 20)
/* Of a sink that takes records, if slowly, so many times more alerts may wait once nobody waits for it. */
#define ALIVE_ROOM 4

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

static outbox_share *share_of(tw_outbox *o, const outbox_item *item)
{
    return is_event(item) ? &o->events : &o->others;
}

static void join_share(outbox_share *s, outbox_item *item)
{
    item->earlier = s->last;
    if (s->last)
        s->last->later = item;
    else
        s->first = item;
    s->last = item;
    s->count++;
    s->bytes += item->bytes;
}

static void leave_share(outbox_share *s, outbox_item *item)
{
    if (item->earlier)
        item->earlier->later = item->later;
    else
        s->first = item->later;
    if (item->later)
        item->later->earlier = item->earlier;
    else
        s->last = item->earlier;
    s->count--;
    s->bytes -= item->bytes;
}

/* A later state of the same incident waits behind this one. */
static bool is_superseded(const outbox_item *item)
{
    const outbox_item *newer = item->newer;

    return newer && item->parcel->record.kind == TW_RECORD_ALERT &&
           newer->parcel->record.kind == TW_RECORD_ALERT &&
           strcmp(item->parcel->record.rule, newer->parcel->record.rule) == 0;
}

static void count_superseded(tw_outbox *o, const outbox_item *item, int by)
{
    if (item && !item->in_flight && is_superseded(item))
        o->superseded += (size_t)by;
}

static void join_key(tw_outbox *o, outbox_item *item)
{
    outbox_key *key = item->key;

    if (!key)
        return;
    item->older = key->newest;
    if (item->older)
        item->older->newer = item;
    key->newest = item;
    count_superseded(o, item->older, 1);
}

static void leave_key(tw_outbox *o, outbox_item *item)
{
    if (!item->key)
        return;
    count_superseded(o, item, -1);
    count_superseded(o, item->older, -1);
    if (item->older)
        item->older->newer = item->newer;
    if (item->newer)
        item->newer->older = item->older;
    else
        item->key->newest = item->older;
    count_superseded(o, item->older, 1);
}

void tw_outbox_item_depart(tw_outbox *o, outbox_item *item)
{
    count_superseded(o, item, -1);
    item->in_flight = true;
    o->in_flight_records++;
    if (item->key)
        item->key->in_flight++;
}

void tw_outbox_item_land(tw_outbox *o, outbox_item *item)
{
    item->in_flight = false;
    o->in_flight_records--;
    if (item->key)
        item->key->in_flight--;
    count_superseded(o, item, 1);
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
    join_key(o, item);
    if (o->count++ == 0)
        o->moved_ms = now_ms;
    join_share(share_of(o, item), item);
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
    leave_key(o, item);
    o->count--;
    leave_share(share_of(o, item), item);
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

void tw_outbox_items_dead(tw_outbox *o, tw_dead_reason why, const char *text)
{
    for (outbox_item *item = oldest_waiting(o); item; item = oldest_waiting(o))
        tw_outbox_item_dead(o, item, why, text);
}

/* ---- too many ---- */

static bool is_beyond(const tw_outbox *o, const outbox_share *s, size_t times)
{
    return s->count > times * o->options.max_records ||
           s->bytes > times * (size_t)MAX_BYTES;
}

static void supersede(tw_outbox *o, outbox_item *item)
{
    tw_outbox_item_dead(o, item, TW_DEAD_SUPERSEDED,
                        "the outbox is full, and a newer state of the incident waits");
}

/* All of them, so that it is not looked for them again and again. */
static void drop_superseded(tw_outbox *o)
{
    for (outbox_item *item = o->others.first, *next; item && o->superseded > 0;
         item = next) {
        next = item->later;
        if (!item->in_flight && is_superseded(item))
            supersede(o, item);
    }
}

static void drop_oldest(tw_outbox *o, const outbox_share *share, size_t times)
{
    for (outbox_item *item = share->first, *next; item && is_beyond(o, share, times);
         item = next) {
        next = item->later;
        if (!item->in_flight)
            tw_outbox_item_dead(o, item, TW_DEAD_OVERFLOW, "the outbox is full");
    }
}

static bool has_too_many_alerts(const tw_outbox *o)
{
    return is_beyond(o, &o->others, 1);
}

static void prune(tw_outbox *o, outbox_item *older)
{
    if (has_too_many_alerts(o) && older && !older->in_flight && is_superseded(older))
        supersede(o, older);
    if (has_too_many_alerts(o))
        drop_superseded(o);
    drop_oldest(o, &o->events, 1);
    drop_oldest(o, &o->others, tw_outbox_is_stuck(o) ? 1 : ALIVE_ROOM);
}

void tw_outbox_make_room(tw_outbox *o, const outbox_item *item)
{
    if (!o->gives_way || o->is_pruning)
        return;
    o->is_pruning = true;
    prune(o, item ? item->older : NULL);
    o->is_pruning = false;
}

static void feel(const tw_outbox *o, outbox_share *s)
{
    size_t records = o->options.max_records, bytes = MAX_BYTES;

    if (s->is_full)
        s->is_full = s->count > records / 2 || s->bytes > bytes / 2;
    else
        s->is_full = s->count >= records || s->bytes >= bytes;
}

/* Full at the limit, and until half of it is free, so that what was stopped starts for a good while. */
void tw_outbox_feel_pressure(tw_outbox *o)
{
    feel(o, &o->events);
    feel(o, &o->others);
    bool is_full = o->events.is_full || o->others.is_full;
    if (is_full == o->is_full)
        return;
    o->is_full = is_full;
    if (o->options.pressure)
        o->options.pressure(o->options.pressure_self, is_full);
}

void tw_outbox_expire(tw_outbox *o, int64_t now_ms)
{
    o->is_pruning = true;
    for (outbox_item *item = o->first, *next;
         item && item->put_ms + o->options.max_age_ms <= now_ms; item = next) {
        next = item->next;
        if (!item->in_flight)
            tw_outbox_item_dead(o, item, TW_DEAD_AGE, "too old to be delivered");
    }
    o->is_pruning = false;
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
