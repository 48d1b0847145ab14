// SPDX-License-Identifier: Apache-2.0
/* timers_1m_vs_1k: what a deadline costs with 1,000,000 pending / with 1,000. One step fires one
 * timer, arms it again and moves another one, at random within an hour; the clock moves so that one
 * falls due at each step. The entries of the table are those of a small detector. With an argument it says
 * the nanoseconds a step on stderr. */
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "figures.h"
#include "state/timers.h"

enum { MANY = 1000000, FEW = 1000, STEPS = 300000, ROUNDS = 9, HORIZON_MS = 3600000 };

typedef struct entry {
    int64_t newest_ms;
    tw_timer timer;
    uint64_t state[2];
} entry;

typedef struct desk {
    tw_keyed *keys;
    tw_timers *wheel;
    uint32_t count;
    uint64_t random, fired;
    double now_ms;
} desk;

static uint64_t next_random(desk *d)
{
    d->random = d->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return d->random >> 32;
}

static int64_t some_deadline(desk *d)
{
    return (int64_t)d->now_ms + 1 + (int64_t)(next_random(d) * HORIZON_MS >> 32);
}

static void desk_open(desk *d, uint32_t count)
{
    *d = (desk){.count = count, .random = count, .now_ms = 1e12};
    d->keys = tw_keyed_new(sizeof(entry));
    d->wheel = tw_timers_new(d->keys, offsetof(entry, timer));
    for (uint32_t n = 0; n < count; n++) {
        tw_key key = tw_key_from_bytes((const uint8_t *)&n, sizeof n);
        uint32_t number = tw_keyed_add(d->keys, &key);
        tw_timer_init(&((entry *)tw_keyed_at(d->keys, number))->timer);
        tw_timers_set(d->wheel, number, some_deadline(d));
    }
}

static void desk_close(desk *d)
{
    tw_timers_free(d->wheel);
    tw_keyed_free(d->keys);
}

static double run(desk *d)
{
    int64_t start_ns = tw_thread_cpu_ns(), due_ms;
    /* Others are moved on before they are due, which makes them fire less often. */
    double step_ms = (double)HORIZON_MS * 0.72 / d->count;

    for (int n = 0; n < STEPS; n++) {
        uint32_t fired;
        d->now_ms += step_ms;
        while ((fired = tw_timers_pop(d->wheel, (int64_t)d->now_ms, &due_ms)) !=
               TW_KEYED_NONE) {
            tw_timers_set(d->wheel, fired, some_deadline(d));
            d->fired++;
        }
        tw_timers_set(d->wheel, (uint32_t)(next_random(d) * d->count >> 32),
                      some_deadline(d));
    }
    return (double)(tw_thread_cpu_ns() - start_ns) / STEPS;
}

int main(int argc, char **argv)
{
    static desk many, few;
    double ratios[ROUNDS];

    (void)argv;
    desk_open(&many, MANY);
    desk_open(&few, FEW);
    for (int n = 0; n < 4; n++) {
        run(&many);
        run(&few);
    }
    many.fired = few.fired = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double large = run(&many), small = run(&few);
        ratios[round] = large / small;
        if (argc > 1) {
            fprintf(stderr, "1,000,000 timers: %.1f ns, 1,000 timers: %.1f ns\n", large,
                    small);
        }
    }
    double steps = (double)STEPS * ROUNDS;
    double many_share = (double)many.fired / steps, few_share = (double)few.fired / steps;
    bool good = many_share > 0.5 && many_share < 2 && few_share > 0.5 && few_share < 2;
    if (!good || argc > 1) {
        fprintf(stderr, "bench_timers: fired a step: %.2f and %.2f\n", many_share,
                few_share);
    }
    good = figure_report("timers_1m_vs_1k", ratios, ROUNDS, FIGURE_LOWER, 4, 2) && good;
    desk_close(&many);
    desk_close(&few);
    return good ? 0 : 1;
}
