// SPDX-License-Identifier: Apache-2.0
/* The clocks. Nothing else in the engine calls clock_gettime, so that a replay lives in
 * the time it is told. A real clock may be read by any thread; a virtual one belongs to
 * the thread that moves it. Invariant: virtual time never goes back. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void tw_clock_init_real(tw_clock *c)
{
    *c = (tw_clock){.is_virtual = false};
}

void tw_clock_init_virtual(tw_clock *c, int64_t start_ms)
{
    *c = (tw_clock){.is_virtual = true, .virtual_ms = start_ms};
}

void tw_clock_set(tw_clock *c, int64_t now_ms)
{
    if (c->is_virtual && now_ms > c->virtual_ms)
        c->virtual_ms = now_ms;
}

int64_t tw_clock_now_ms(const tw_clock *c)
{
    return c->is_virtual ? c->virtual_ms : read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t tw_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t tw_mono_ms(void)
{
    return tw_mono_ns() / 1000000;
}

int64_t tw_thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
