// SPDX-License-Identifier: Apache-2.0
/* The only place that asks the system for the time. A tw_clock is real or virtual;
 * everything that needs "now" is handed one. Virtual time moves only when told, and never
 * back. */
#ifndef TW_BASE_CLOCK_H
#define TW_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define TW_TIME_NONE INT64_MIN

typedef struct tw_clock {
    bool is_virtual;
    int64_t virtual_ms;
} tw_clock;

void tw_clock_init_real(tw_clock *c);
void tw_clock_init_virtual(tw_clock *c, int64_t start_ms);
/* Virtual only; an earlier time is ignored. */
void tw_clock_set(tw_clock *c, int64_t now_ms);
int64_t tw_clock_now_ms(const tw_clock *c); /* epoch milliseconds */

int64_t tw_mono_ns(void); /* monotonic, for measuring durations */
int64_t tw_mono_ms(void);
int64_t tw_thread_cpu_ns(void); /* CPU time of the calling thread */

#endif
