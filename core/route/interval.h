// SPDX-License-Identifier: Apache-2.0
/* One field's numeric ranges: which targets' ranges hold a number. Built on the shore,
 * then finished and immutable. Bounds are doubles and inclusive, so a find may name a
 * target whose exact or open bound says no; it never misses one. The cost is that of the
 * ranges found, times a logarithm. */
#ifndef TW_ROUTE_INTERVAL_H
#define TW_ROUTE_INTERVAL_H

#include <stdint.h>

typedef struct tw_intervals tw_intervals;

tw_intervals *tw_intervals_new(void);
void tw_intervals_free(tw_intervals *x);
void tw_intervals_add(tw_intervals *x, double low, double high, uint32_t target);
void tw_intervals_finish(tw_intervals *x);

/* Appends the targets whose range holds v, in no order; returns how many. out has room
 * for all. */
uint32_t tw_intervals_find(const tw_intervals *x, double v, uint32_t *out);

#endif
