// SPDX-License-Identifier: Apache-2.0
/* The reference events of the benches: about 470 bytes of JSON each, 20 types, 5,000
 * hosts, 200 services, a tenth with severity "error", event time 3,500 events to the
 * second and up to one second out of order. The same seed gives the same bytes on every
 * machine. One thread. */
#ifndef TW_BENCH_EVENTS_H
#define TW_BENCH_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTS_MAX_BYTES 640 /* room one event needs */
#define EVENTS_HOSTS 5000
#define EVENTS_PER_SECOND 3500 /* of event time */
#define EVENTS_START_MS INT64_C(1732182000000)

typedef struct events {
    uint64_t state[2]; /* of the random numbers */
    uint64_t count;    /* events made so far */
} events;

/* What an event says, so that a bench can check a result without reading JSON. */
typedef struct event_facts {
    const char *host; /* inside the event's bytes, not terminated: the record key */
    uint32_t host_len;
    uint32_t host_number;
    int64_t time_ms;
    bool is_error;
} event_facts;

void events_init(events *g, uint64_t seed);
/* Writes the next event into out (EVENTS_MAX_BYTES); returns its size. facts may be NULL.
 */
size_t events_next(events *g, char *out, event_facts *facts);

#endif
