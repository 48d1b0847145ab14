// SPDX-License-Identifier: Apache-2.0
/* The engine on the bench: rules from a text, real lane threads, and four partitions whose
 * reference events (events.h) lie in memory, keyed by host as in the reference job. Each
 * pass over them is written with later times, so event time goes on as long as one likes.
 * Used by the main thread; a partition is polled by the lane that has it. */
#ifndef TW_BENCH_RIG_H
#define TW_BENCH_RIG_H

#include "engine.h"

/* The reference job of docs/PERFORMANCE.md: 30 errors of a host within five minutes. */
#define RIG_ERRORS_PER_HOST                                                              \
    "rule \"bench/errors_per_host\" {\n"                                                 \
    "  owner = \"bench\", version = \"1.0.0\", key = { \"host\" },\n"                    \
    "  inputs = { ev = from \"requests\" { severity = \"error\" } },\n"                  \
    "  detect = level { of = count \"ev\", over = \"5m\", crit = { at_least = 30 } },\n" \
    "  alert = incident { id = \"errors:${host}\", title = \"${value} on ${host}\" },\n" \
    "}\n"

enum { RIG_PARTITIONS = 4 };

typedef struct rig rig;

/* What a run came to. */
typedef struct rig_figures {
    double wall_ns; /* an event, of the lane that took longest, less waiting for a core */
    double cpu_ns;  /* an event, of all threads */
    double allocations; /* an event, of the lanes, in the second half of the run */
    uint64_t signals;   /* told to the shore */
} rig_figures;

/* Loads a rule text; ends the program with a message when it has findings. */
tw_rule_files *rig_rules(tw_streams *streams, const char *text);

/* Makes the events once; several runs may use them, one after the other. */
rig *rig_new(uint32_t count);
void rig_free(rig *r);
/* A new engine reads that many events in all. */
rig_figures rig_run(rig *r, const char *rules, uint32_t lanes, uint64_t count);

#endif
