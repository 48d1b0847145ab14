// SPDX-License-Identifier: Apache-2.0
/* The whole way of an event through lanes, from memory. lanes_2_vs_1: events a second of two
 * lanes / of one, the reference job. allocations_per_event: heap allocations of the lanes once
 * everything has its size, no alert, by a matcher and by a Lua predicate. With an argument it
 * says the nanoseconds an event on stderr; a number: one lane alone, that often, for perf. */
#include <stdio.h>
#include <stdlib.h>

#include "figures.h"
#include "rig.h"

enum { EVENTS = 100000, RUN_EVENTS = 2000000, QUIET_EVENTS = 6000000, ROUNDS = 5 };

#define NEVER(predicate)                                                                 \
    "rule \"bench/never\" {\n"                                                           \
    "  owner = \"bench\", version = \"1.0.0\", key = { \"host\" },\n"                    \
    "  inputs = { ev = from \"requests\" { " predicate " } },\n"                         \
    "  detect = level { of = count \"ev\", over = \"5m\",\n"                             \
    "                   crit = { at_least = 1000000 } },\n"                              \
    "  alert = incident { title = \"never\" },\n"                                        \
    "}\n"

int main(int argc, char **argv)
{
    double lanes[ROUNDS], allocations[2];
    bool good = true;
    rig *r = rig_new(EVENTS);
    long alone = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

    for (long n = 0; n < alone; n++) {
        rig_figures one = rig_run(r, RIG_ERRORS_PER_HOST, 1, RUN_EVENTS);
        fprintf(stderr, "%.1f ns, %.1f ns CPU, %lu signals\n", one.wall_ns, one.cpu_ns,
                one.signals);
    }
    if (alone > 0) {
        return 0;
    }
    for (int n = 0; n < ROUNDS; n++) {
        rig_figures one = rig_run(r, RIG_ERRORS_PER_HOST, 1, RUN_EVENTS);
        rig_figures two = rig_run(r, RIG_ERRORS_PER_HOST, 2, RUN_EVENTS);
        lanes[n] = one.wall_ns / two.wall_ns;
        if (argc > 1) {
            fprintf(stderr,
                    "one lane %.1f ns, two %.1f ns; CPU %.1f, %.1f; signals %lu, %lu\n",
                    one.wall_ns, two.wall_ns, one.cpu_ns, two.cpu_ns, one.signals,
                    two.signals);
        }
        good = good && one.signals > 0 && two.signals > 0;
    }
    if (!good) {
        fprintf(stderr, "bench_engine: the rule told nothing\n");
    }
    const char *quiet[] = {
        NEVER("severity = \"error\""),
        NEVER("where = function(ev) return ev.severity == \"error\" end")};
    for (int n = 0; n < 2; n++) {
        rig_figures f = rig_run(r, quiet[n], 1, QUIET_EVENTS);
        allocations[n] = f.allocations;
        if (argc > 1) {
            fprintf(stderr, "quiet: %.1f ns, %g allocations\n", f.wall_ns, f.allocations);
        }
    }
    good = figure_report("lanes_2_vs_1", lanes, ROUNDS, FIGURE_HIGHER, 1.7, 1.9) && good;
    good = figure_report("allocations_per_event", allocations, 2, FIGURE_LOWER, 0, 0) &&
           good;
    rig_free(r);
    return good ? 0 : 1;
}
