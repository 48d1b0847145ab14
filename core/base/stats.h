// SPDX-License-Identifier: Apache-2.0
/* Every number the engine shows comes from here: counters, gauges and histograms with
 * labels, registered once and written in the Prometheus text format. A counter handle is
 * an atomic that any thread may add to (relaxed); registering takes a lock and returns
 * the existing one for the same name and labels. Lanes register their own series, so a
 * hot counter has one writer. */
#ifndef TW_BASE_STATS_H
#define TW_BASE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct tw_stats tw_stats;
typedef struct tw_counter {
    _Atomic uint64_t value;
} tw_counter;
typedef struct tw_gauge {
    _Atomic int64_t value;
    _Atomic int64_t scale;
} tw_gauge; /* value/scale, scale 0 = 1 */
typedef struct tw_histogram tw_histogram;

tw_stats *tw_stats_new(void);
void tw_stats_free(tw_stats *s);

/* name without the "tidewatch_" prefix, which is added; counters get names that end in
 * _total. labels: pairs key, value, ..., NULL-terminated array, or NULL. Copied. Handles
 * live as long as s. NULL when the name is registered as another kind of metric. */
tw_counter *tw_stats_counter(tw_stats *s, const char *name, const char *help,
                             const char *const *labels);
tw_gauge *tw_stats_gauge(tw_stats *s, const char *name, const char *help,
                         const char *const *labels);
/* Upper bounds in seconds, ascending, at most 64; +Inf is added. */
tw_histogram *tw_stats_histogram(tw_stats *s, const char *name, const char *help,
                                 const char *const *labels, const double *bounds,
                                 int count);
void tw_histogram_observe(tw_histogram *h, double seconds);

static inline void tw_count(tw_counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(&c->value, n, memory_order_relaxed);
}
/* For the one writer of a hot counter: no locked instruction. */
static inline void tw_count_own(tw_counter *c, uint64_t n)
{
    uint64_t v = atomic_load_explicit(&c->value, memory_order_relaxed);
    atomic_store_explicit(&c->value, v + n, memory_order_relaxed);
}
static inline void tw_gauge_set(tw_gauge *g, int64_t v)
{
    atomic_store_explicit(&g->value, v, memory_order_relaxed);
}

/* Sum of a counter family over all label sets ("events_total"); 0 when unknown. */
uint64_t tw_stats_sum(tw_stats *s, const char *name);

/* Text format 0.0.4, families sorted by name, HELP and TYPE first; promtool finds no
 * fault. */
void tw_stats_write(tw_stats *s, tw_buf *out);

#endif
