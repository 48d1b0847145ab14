// SPDX-License-Identifier: Apache-2.0
/* The incident that the demo tells: a shop's checkout under a campaign, the cluster without room for it,
 * and how it ends. Time is a fraction: 0 the beginning, 1 the end. Constant data. */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include <stddef.h>

#include "demo/event.h"

/* Something that happens once: an event, and what is said about it; either may be absent. */
typedef struct story_moment {
    double at;
    demo_event event;
    const char *topic, *text; /* topic of what is only said */
} story_moment;

/* The shop's checkout, and its neighbours, at one time. */
typedef struct story_state {
    double checkout_rate, neighbour_rate; /* requests a second, of each neighbour */
    double error_share;                   /* of checkout */
    double latency_s, cpu, queue;
    int pods;
} story_state;

extern const story_moment story_moments[];
extern const size_t story_moment_count;

/* What goes on anyway: one of these every second, in turn. */
extern const demo_event story_daily[];
extern const size_t story_daily_count;

extern const char *const story_neighbours[];
extern const size_t story_neighbour_count;

story_state story_at(double at);

#endif
