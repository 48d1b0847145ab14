// SPDX-License-Identifier: Apache-2.0
/* The morning that the demo tells, in three parts: a campaign and a cluster without room for it, a release
 * that goes wrong beside a change that is innocent, and a zone that goes dark. Time is in seconds of a
 * story that takes a minute. Constant data. */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include <stddef.h>

#include "demo/event.h"

#define STORY_SECONDS 60.0

/* Something that happens once: an event, or several that differ in one name, and what is said about it. */
typedef struct story_moment {
    double at;
    const char *part;         /* a heading above */
    const char *topic, *text; /* topic of what is only said */
    demo_event event;
    const char *pods,
        *hosts; /* "checkout-": an event each for checkout-1, checkout-2, ... */
    int first, count;
} story_moment;

/* The shop's checkout, and its neighbours, at one time. */
typedef struct story_state {
    double checkout_rate, neighbour_rate; /* requests a second, of each neighbour */
    double error_share;                   /* of checkout */
    double latency_s, cpu, queue;
    double memory; /* percent, of the pod checkout-2 */
    int pods, search_pods;
} story_state;

extern const story_moment story_moments[];
extern const size_t story_moment_count;

/* What goes on anyway: one of a topic after the other, to each of its partitions in turn. */
extern const demo_event story_daily[];
extern const size_t story_daily_count;

extern const char *const story_neighbours[];
extern const size_t story_neighbour_count;

story_state story_at(double at);

#endif
