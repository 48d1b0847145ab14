// SPDX-License-Identifier: Apache-2.0
/* The helper thread of a client. librdkafka's queries (stored positions, watermarks,
 * closing) block, and the shore must not: they run here as errands, one after another,
 * and come back to the shore when done. The thread also nudges: see errands_nudge. */
#ifndef KAFKA_ERRAND_H
#define KAFKA_ERRAND_H

#include <librdkafka/rdkafka.h>

#include "tidewatch.h"

typedef struct errands errands;

/* Embedded as the first member of what carries the question and its answer. */
typedef struct errand errand;
struct errand {
    errand *next;
    void (*run)(errand *e, rd_kafka_t *rk); /* on the helper thread */
    void (*done)(void *e);                  /* on the shore, with the errand; frees it */
};

/* NULL when there is no thread to be had. rk is borrowed until the last errand. */
errands *errands_new(const tw_host *h, rd_kafka_t *rk);
/* Any thread. */
void errands_put(errands *all, errand *e);
/* Any thread, cheap. Wakes librdkafka's thread of the broker that leads this partition by
 * a small query: up to 2.1 that thread, having found all its queues full, sleeps for up
 * to a second although they have been drained meanwhile. */
void errands_nudge(errands *all, const char *topic, int32_t partition);
/* The last errand: the thread ends after it. */
void errands_end(errands *all, errand *last);
/* Joins the thread, which has run its last errand. */
void errands_free(errands *all);
/* The thread is stuck: nothing of it comes back to the shore any more. What it uses is
 * left to it. */
void errands_abandon(errands *all);

#endif
