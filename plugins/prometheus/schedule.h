// SPDX-License-Identifier: Apache-2.0
/* When a target is polled: on a grid of its interval, pinned to absolute time and shifted by a hash of the
 * target, so that the load spreads and a restart changes nothing. Any thread. */
#ifndef TW_PROMETHEUS_SCHEDULE_H
#define TW_PROMETHEUS_SCHEDULE_H

#include <stdint.h>

/* Where in the interval a target of this text stands. */
int64_t schedule_offset_ms(const char *text, int64_t interval_ms);
/* The first point of the grid after now. */
int64_t schedule_next_ms(int64_t now_ms, int64_t interval_ms, int64_t offset_ms);

#endif
