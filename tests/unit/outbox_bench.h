// SPDX-License-Identifier: Apache-2.0
/* What the tests of outboxes share: an outbox on a virtual clock in front of a sink that answers when told. */
#ifndef TW_TEST_OUTBOX_BENCH_H
#define TW_TEST_OUTBOX_BENCH_H

#include "sink/outbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/outbox_impl.h"

#define MAX_DELIVERIES 256

typedef struct bench {
    tw_loop *loop;
    tw_clock clock;
    tw_stats *stats;
    tw_outbox *outbox;
    tw_delivery *open[MAX_DELIVERIES]; /* not answered, oldest first */
    size_t open_count;
    size_t delivered; /* deliveries begun */
    char told[4096];  /* ids by delivery: "a b|c" */
    char dead[4096];  /* "a:reason " */
    size_t dead_count;
    bool at_once; /* answer DONE inside deliver */
} bench;

static inline void add_text(char *text, size_t size, const char *more)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s", more);
}

static inline void deliver(void *instance, tw_delivery *d)
{
    bench *b = instance;

    if (b->told[0])
        add_text(b->told, sizeof b->told, "|");
    for (size_t i = 0; i < d->count; i++) {
        if (i)
            add_text(b->told, sizeof b->told, " ");
        add_text(b->told, sizeof b->told, d->records[i]->id);
    }
    b->delivered++;
    if (b->at_once)
        tw_outbox_answer(b->outbox, d, &(tw_answer){.answer = TW_ANSWER_DONE});
    else
        b->open[b->open_count++] = d;
}

static tw_sink_type type = {
    .kind = "fake", .deliver = deliver, .max_batch = 1, .max_inflight = 1};

static inline void on_dead(void *self, const tw_parcel *p, const char *reason)
{
    bench *b = self;
    add_text(b->dead, sizeof b->dead, p->record.id);
    add_text(b->dead, sizeof b->dead, ":");
    add_text(b->dead, sizeof b->dead, reason);
    add_text(b->dead, sizeof b->dead, " ");
    b->dead_count++;
}

static inline void setup(bench *b, uint32_t max_batch, uint32_t max_inflight,
                         tw_outbox_options options)
{
    *b = (bench){0};
    b->loop = tw_loop_new(NULL);
    tw_clock_init_virtual(&b->clock, 1000000);
    b->stats = tw_stats_new();
    type.max_batch = max_batch;
    type.max_inflight = max_inflight;
    options.name = "fake";
    options.type = &type;
    options.loop = b->loop;
    options.clock = &b->clock;
    options.stats = b->stats;
    options.dead = on_dead;
    options.dead_self = b;
    b->outbox = tw_outbox_new(&options);
    tw_outbox_connect(b->outbox, b);
}

static inline void teardown(bench *b)
{
    tw_outbox_free(b->outbox);
    tw_loop_free(b->loop);
    tw_stats_free(b->stats);
}

/* Static text, so that the ids outlive the test. */
static tw_parcel parcels[MAX_DELIVERIES];
static char ids[MAX_DELIVERIES][8];

static inline void put(bench *b, const char *id, const char *key)
{
    static size_t next;
    tw_parcel *p = &parcels[next % MAX_DELIVERIES];
    char *text = ids[next++ % MAX_DELIVERIES];

    snprintf(text, sizeof ids[0], "%s", id);
    *p = (tw_parcel){.refs = 1u << 20};
    p->record.id = text;
    p->record.key = key;
    p->record.rule = "a/rule";
    tw_outbox_put(b->outbox, p);
}

static inline int64_t turn(bench *b)
{
    return tw_outbox_turn(b->outbox, tw_clock_now_ms(&b->clock));
}

static inline int64_t turn_after(bench *b, int64_t ms)
{
    tw_clock_set(&b->clock, tw_clock_now_ms(&b->clock) + ms);
    return turn(b);
}

/* Answers the oldest open delivery. */
static inline void answer_full(bench *b, tw_answer a)
{
    assert_true(b->open_count > 0);
    tw_delivery *d = b->open[0];
    memmove(b->open, b->open + 1, --b->open_count * sizeof *b->open);
    a.size = sizeof a;
    tw_outbox_answer(b->outbox, d, &a);
}

static inline void answer(bench *b, tw_answer_class class)
{
    answer_full(b, (tw_answer){.answer = class, .text = "because"});
}

static inline json_int_t status_of(bench *b, const char *name)
{
    json_t *status = tw_outbox_status(b->outbox);
    json_int_t v = json_integer_value(json_object_get(status, name));
    json_decref(status);
    return v;
}

static inline uint64_t given_up(bench *b, const char *reason)
{
    const char *labels[] = {"sink", "fake", "reason", reason, NULL};
    return tw_stats_counter(b->stats, "outbox_given_up_total", "", labels)->value;
}

/* ---- queue and batches ---- */

#endif
