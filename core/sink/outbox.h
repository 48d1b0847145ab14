// SPDX-License-Identifier: Apache-2.0
/* One discipline for all sinks: a bounded queue in front of each, batches up to what the
 * sink takes, a bounded number of deliveries at once, answers by class, exponential
 * back-off with full jitter, Retry-After honoured, given up by age and not by count.
 * Sinks know nothing of each other: one that hangs holds nobody else. What is given up
 * goes to the dead-letter port. Order within one sink is kept for records of one key:
 * while a record waits for a retry, later ones of its key wait behind it.
 *
 * Nothing is pushed out while somebody can wait: at max_records the outbox is full and says so, and whoever owns
 * it stops what its records come from, or lets it give way. Then the oldest events go; of alerts first those of
 * which a newer state of the same incident waits, and the oldest only when the sink takes nothing or even
 * four times as many wait.
 *
 * Shore thread, except tw_outbox_answer (any thread). */
#ifndef TW_SINK_OUTBOX_H
#define TW_SINK_OUTBOX_H

#include <jansson.h>

#include "base/clock.h"
#include "base/stats.h"
#include "host/loop.h"
#include "sink/record.h"

typedef struct tw_outbox tw_outbox;

typedef struct tw_outbox_options {
    const char *name; /* the sink's, in logs and labels */
    const tw_sink_type *type;
    tw_loop *loop;
    const tw_clock *clock;
    tw_stats *stats;
    uint32_t max_records;               /* default 10,000; of events, and of all others */
    int64_t patience_ms;                /* nothing taken for so long: it is stuck */
    int64_t max_age_ms;                 /* default 1 h */
    int64_t backoff_ms, backoff_max_ms; /* default 500, 60,000 */
    int64_t timeout_ms; /* a delivery without an answer counts as RETRY; default 30,000 */
    uint64_t seed;      /* jitter */
    /* A record that will never be delivered; borrowed. NULL for the dead-letter sink
     * itself. */
    void (*dead)(void *self, const tw_parcel *p, const char *reason);
    void *dead_self;
    /* It has become full, of events or of all others, or both are half empty again. NULL: it gives way from the
     * start. */
    void (*pressure)(void *self, bool is_full);
    void *pressure_self;
} tw_outbox_options;

tw_outbox *tw_outbox_new(const tw_outbox_options *options);
void tw_outbox_free(tw_outbox *o);
/* The instance deliveries go to; set once it is open. */
void tw_outbox_connect(tw_outbox *o, void *instance);

void tw_outbox_put(tw_outbox *o, tw_parcel *p); /* takes a reference of its own */
/* The sink's answer to a delivery of this outbox (tw_host.done). Any thread. */
void tw_outbox_answer(tw_outbox *o, tw_delivery *d, const tw_answer *a);

/* From now on what is too many is given up; see above. */
void tw_outbox_give_way(tw_outbox *o, bool gives_way);
/* Its last deliveries found no taker. */
bool tw_outbox_is_failing(const tw_outbox *o);
/* Something waits, and its sink has taken nothing for as long as patience_ms, nor said when it will. */
bool tw_outbox_is_stuck(const tw_outbox *o);
/* It has as much as it takes, and not half of that has left it since. */
bool tw_outbox_is_full(const tw_outbox *o);
bool tw_outbox_is_full_of_events(const tw_outbox *o);

size_t tw_outbox_count(const tw_outbox *o); /* queued and in flight */
/* Nothing queued and nothing in flight. */
bool tw_outbox_is_empty(const tw_outbox *o);
/* No new deliveries; what is left is reported as dead with this reason. Before
 * tw_outbox_free. */
void tw_outbox_give_up(tw_outbox *o, const char *reason);
json_t *tw_outbox_status(
    const tw_outbox
        *o); /* name, kind, queued, in flight, oldest age, outcomes, last error */

#endif
