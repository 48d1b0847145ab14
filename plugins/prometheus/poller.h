// SPDX-License-Identifier: Apache-2.0
/* The source `prometheus`: an instance (poller) and what it polls (targets), each a feed of its own.
 *
 * A target is polled by the shore, which makes frames of what came and hands them to the lane that
 * owns the feed. Nothing new is asked before the lane has given all frames back, so what a target
 * holds is bounded by one poll. Invariant: each poll that is begun ends in frames with an `up`,
 * unless the instance stops. */
#ifndef TW_PROMETHEUS_POLLER_H
#define TW_PROMETHEUS_POLLER_H

#include <pthread.h>
#include <stdatomic.h>

#include "prometheus/batch.h"
#include "shared/http_client.h"

typedef struct poller poller;

/* What waits between the shore and a lane. */
typedef struct frame_queue {
    pthread_mutex_t lock;
    frame *first, *last; /* under lock */
    atomic_uint held;    /* pushed and not released */
} frame_queue;

typedef enum target_health { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN } target_health;

typedef struct target {
    tw_feed feed; /* first */
    poller *poller;
    char *topic, *what; /* what: its name for people, and what its offset is a hash of */
    char *url;
    char *form, *query; /* of a PromQL query: the body, and its name; else NULL */
    batch_labels labels;
    char *own_labels; /* of samples of our own, beside labels: `,"query":"q"` */
    int32_t partition;
    bool added;
    /* shore */
    tw_watch *timer;
    int64_t offset_ms, due_ms, began_ms, next_offset;
    bool asking; /* a request is open */
    target_health health;
    char *error; /* why it is down, or NULL */
    frame_queue queue;
} target;

struct poller {
    const tw_host *host;
    http_client *client;
    int64_t interval_ms, timeout_ms, max_body;
    text_limits limits;
    target *targets;
    size_t target_count, up_count;
    bool stopping;
    tw_metric *polls, *failures, *skipped, *samples, *not_numbers, *restamped, *up;
};

/* targets.c: from checked settings; false with a refusal. */
bool targets_read(poller *p, const json_t *settings, const char *const *topics,
                  size_t topic_count, tw_refusal *refusal);
void targets_free(poller *p);

/* poll.c: shore. */
void poll_start(target *t); /* the first poll comes at the target's point of the grid */
void poll_stop(target *t);

/* queue.c */
void queue_init(frame_queue *q);
void queue_done(frame_queue *q);
bool queue_is_empty(frame_queue *q); /* nothing is held by a lane or waits for one */
void queue_push(frame_queue *q, frame *list);             /* takes the frames; shore */
int queue_poll(tw_feed *feed, tw_frame *frames, int max); /* lane; also release */
void queue_release(tw_feed *feed, tw_frame *frames, int count);

#endif
