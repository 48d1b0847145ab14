// SPDX-License-Identifier: Apache-2.0
/* A plugin instance as the engine holds it: the tw_host it was given, and its life from open to close.
 * What the instance asks of the rest of the engine goes through a small table, so this file knows
 * neither lanes nor outboxes. Shore thread, but for what tidewatch.h says is for any thread. */
#ifndef TW_GUEST_H
#define TW_GUEST_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/stats.h"
#include "host/loop.h"
#include "plugins/tidewatch.h"

typedef struct tw_guest tw_guest;

/* What guests can ask for. */
typedef struct tw_house {
    tw_loop *loop;
    const tw_clock *clock;
    tw_stats *stats;
    int (*feed_add)(void *self, tw_guest *g, tw_feed *feed, const char *topic,
                    int32_t partition);
    int (*feed_remove)(void *self, tw_guest *g, tw_feed *feed, bool lost,
                       int64_t *out_next);
    int (*feed_wake_fd)(void *self, const tw_feed *feed);
    void (*feed_end)(void *self, tw_guest *g, tw_feed *feed);
    void (*answer)(void *self, tw_guest *g, tw_delivery *d,
                   const tw_answer *a); /* any thread */
    void (*stopped)(void *self, tw_guest *g);
    void (*failed)(void *self, tw_guest *g, const char *why, int exit_code);
    void *self;
} tw_house;

struct tw_guest {
    tw_host host; /* first: a tw_host * is a tw_guest * */
    const tw_house *house;
    char *name, *settings, *state_dir;
    const tw_source_type *source; /* one of the two */
    const tw_sink_type *sink;
    void *instance;
    void *owner;        /* the house's: an outbox, or nothing */
    tw_metric *metrics; /* made for it, a list */
    bool started, stopping, stopped;
    char *trouble; /* why it is not ready, or NULL */
    bool was_fine; /* at some time since its start */
};

/* settings: JSON text. state_dir may be NULL. */
tw_guest *tw_guest_new(const tw_house *house, const char *name,
                       const tw_source_type *source, const tw_sink_type *sink,
                       const char *settings, const char *state_dir);
int tw_guest_open(tw_guest *g, const char *const *topics, size_t topic_count,
                  tw_err *err);
int tw_guest_start(tw_guest *g, tw_err *err);
void tw_guest_stop(tw_guest *g); /* idempotent; house->stopped follows */
void tw_guest_free(tw_guest *g); /* closes */
/* What the instance shows of itself, {"lag": 12}; the names are those it gave. New reference. */
json_t *tw_guest_metrics(const tw_guest *g);
const char *tw_guest_kind(const tw_guest *g);

#endif
