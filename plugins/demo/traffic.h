// SPDX-License-Identifier: Apache-2.0
/* Turns the story into records: called often, it produces what has become due since the last time, and
 * writes the page of metrics. Shore. */
#ifndef DEMO_TRAFFIC_H
#define DEMO_TRAFFIC_H

#include "demo/producer.h"
#include "demo/voice.h"

typedef struct traffic {
    producer *producer;          /* borrowed */
    const voice *voice;          /* borrowed */
    int64_t opened_ms, began_ms; /* began: the story, after its prelude */
    int64_t length_ms, last_ms;
    size_t moment, daily; /* the next ones */
    double due[4];        /* requests owed, a service each */
    uint64_t events, random;
} traffic;

/* The prelude is everyday traffic, in which whoever reads it gets ready. */
void traffic_init(traffic *t, producer *p, const voice *v, int64_t now_ms,
                  int64_t prelude_ms, int64_t length_ms);
void traffic_go_on(traffic *t, int64_t now_ms);
/* The text exposition at a time; returns its length. */
size_t traffic_metrics(const traffic *t, int64_t now_ms, char *out, size_t room);

#endif
