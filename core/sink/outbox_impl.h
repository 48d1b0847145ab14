// SPDX-License-Identifier: Apache-2.0
/* The inside of an outbox, for outbox*.c and its tests.
 *
 *   put -> items, in order ----batch----> flights --answer--> settled: gone, or waiting again
 *            |  too many, too old                |  no answer in time: settled as RETRY, the
 *            v                                   v  flight stays until the sink lets go of it
 *           dead                               abandoned
 *
 * All times are of one clock of the outbox's own: the engine's when that is virtual, else
 * the monotonic one, since everything here is a duration. Nothing but tw_outbox_turn
 * starts deliveries, so a sink's `deliver` never runs inside its own `done`. */
#ifndef TW_SINK_OUTBOX_IMPL_H
#define TW_SINK_OUTBOX_IMPL_H

#include <pthread.h>

#include "base/map.h"
#include "sink/outbox.h"

typedef enum tw_dead_reason {
    TW_DEAD_OVERFLOW,
    TW_DEAD_SUPERSEDED,
    TW_DEAD_AGE,
    TW_DEAD_DROP,
    TW_DEAD_DISABLED,
    TW_DEAD_STOP,
    TW_DEAD_REASONS
} tw_dead_reason;

enum { TW_ANSWER_CLASSES = TW_ANSWER_DISABLE + 1 };

/* All waiting records of one key; lives as long as one does. */
typedef struct outbox_key {
    char *text;
    struct outbox_item *newest;
    uint32_t items, in_flight;
    uint64_t picked; /* the batch that took one of them last */
    uint64_t passed; /* the batch that passed one of them over last */
} outbox_key;

typedef struct outbox_item {
    struct outbox_item *next, *previous; /* in the order put */
    tw_parcel *parcel;
    outbox_key *key;                     /* NULL: no order to keep */
    struct outbox_item *older, *newer;   /* of the same key */
    struct outbox_item *earlier, *later; /* of the same share */
    bool in_flight;
    uint32_t attempts;
    uint32_t max_batch; /* halved by each SPLIT */
    int64_t put_ms, not_before_ms;
    size_t bytes;
} outbox_item;

typedef struct outbox_flight {
    tw_delivery delivery; /* first: what the sink sees */
    struct outbox_flight *next;
    outbox_item **items;
    const tw_record **records;
    tw_parcel **parcels; /* references: the sink may hold on longer than the items live */
    int64_t deadline_ms;
    bool abandoned; /* its items went on without it */
} outbox_flight;

/* Events, or all others: neither takes the other's room. */
typedef struct outbox_share {
    outbox_item *first, *last;
    size_t count, bytes;
    bool is_full; /* until half of it is free */
} outbox_share;

/* An answer from another thread, on its way to the shore. */
typedef struct outbox_letter {
    struct outbox_letter *next;
    tw_delivery *delivery;
    tw_answer answer; /* text and retry are copies */
} outbox_letter;

struct tw_outbox {
    tw_outbox_options options;
    char *name;
    void *instance;
    uint32_t max_batch, max_inflight;

    outbox_item *first, *last;
    size_t count, in_flight_records;
    outbox_share events, others;
    size_t superseded; /* alerts that wait before a newer one of their incident */
    bool is_full, gives_way;
    bool is_pruning; /* what is told of a dead letter may be put in here */
    tw_map *keys;
    outbox_flight *flights;
    uint32_t open_flights, abandoned_flights;

    uint64_t batch; /* numbers walks over the items */
    uint64_t random;
    uint32_t failures; /* deliveries in a row that found no taker */
    int64_t moved_ms; /* when it last began, took something, or wants to be asked again */
    int64_t pause_until_ms;
    uint64_t refusals; /* since the last line about one, that one included */
    int64_t refusal_logged_ms;
    bool disabled;
    char *stop_reason; /* given up: nothing is sent any more */
    char *last_error;

    tw_watch *timer, *wake;
    int wake_fd;
    pthread_t shore;
    pthread_mutex_t lock;
    outbox_letter *letters, **letters_end; /* under lock */

    tw_gauge *queued_gauge, *inflight_gauge, *oldest_gauge;
    tw_counter *answers[TW_ANSWER_CLASSES];
    tw_counter *given_up[TW_DEAD_REASONS];
};

/* One step at this time, what the loop's timer calls: takes answers that wait, ends what
 * is overdue or too old, sends what may be sent. Returns when the next step is due, or
 * INT64_MAX. */
int64_t tw_outbox_turn(tw_outbox *o, int64_t now_ms);
int64_t tw_outbox_now_ms(const tw_outbox *o);
void tw_outbox_arm(tw_outbox *o, int64_t after_ms);

/* outbox_item.c */
outbox_item *tw_outbox_item_add(tw_outbox *o, tw_parcel *p, int64_t now_ms);
void tw_outbox_item_remove(tw_outbox *o, outbox_item *item); /* and free */
void tw_outbox_item_depart(tw_outbox *o, outbox_item *item);
void tw_outbox_item_land(tw_outbox *o, outbox_item *item);
void tw_outbox_item_dead(tw_outbox *o, outbox_item *item, tw_dead_reason why,
                         const char *text); /* reported, then removed */
void tw_outbox_items_dead(tw_outbox *o, tw_dead_reason why,
                          const char *text); /* waiting */
/* What is too many is given up, if it gives way. item: the one that was put last, or NULL. */
void tw_outbox_make_room(tw_outbox *o, const outbox_item *item);
/* Tells of it when it has become full, or no longer is. */
void tw_outbox_feel_pressure(tw_outbox *o);
void tw_outbox_expire(tw_outbox *o, int64_t now_ms);
bool tw_outbox_item_may_go(tw_outbox *o, outbox_item *item, int64_t now_ms);

/* outbox_flight.c */
int64_t tw_outbox_send(tw_outbox *o, int64_t now_ms);
void tw_outbox_settle(tw_outbox *o, tw_delivery *d, const tw_answer *a, int64_t now_ms);
void tw_outbox_end_overdue(tw_outbox *o, int64_t now_ms);
int64_t tw_outbox_next_deadline(const tw_outbox *o);
void tw_outbox_flight_free(outbox_flight *f);

#endif
