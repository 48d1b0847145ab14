// SPDX-License-Identifier: Apache-2.0
/* The impact operator's insides, shared by impact*.c. */
#ifndef TW_DETECT_IMPACT_IMPL_H
#define TW_DETECT_IMPACT_IMPL_H

#include "base/clock.h"
#include "detect/impact.h"
#include "detect/kept.h"
#include "detect/welch.h"
#include "flow/plan_impact.h"
#include "state/timers.h"

enum {
    MAX_ENTRIES = 256, /* beyond, neighbours become one */
    MAX_OPEN = 16      /* events of one key that wait for their verdict */
};

/* Samples that lie side by side in time; mostly one. */
typedef struct impact_entry {
    int64_t from_ms, to_ms;
    tw_moments of;
} impact_entry;

/* Entries and open events in order of their times. */
typedef struct impact_key {
    int64_t newest_ms;
    int64_t open_until_ms; /* what was told may be open until then; INT64_MIN: nothing */
    tw_timer timer;
    impact_entry *entries;
    tw_kept *open;
    uint32_t entry_count, entry_room, open_count, open_room;
} impact_key;

typedef struct impact {
    tw_detector base;
    tw_rule *rule;
    const tw_impact_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *timers;
    int64_t clock_ms; /* the last the lane told */
} impact;

/* impact_entries.c */
void impact_entry_add(impact *d, impact_key *k, int64_t at_ms, double value);
/* Those that ended at or before a time go. */
void impact_entries_prune(impact_key *k, int64_t until_ms);
void impact_entries_give(impact *d, impact_key *k);
/* Those wholly in (from, to]. */
tw_moments impact_entries_sum(const impact_key *k, int64_t from_ms, int64_t to_ms,
                              bool *out_approx);
/* Room for `count` of them. */
void impact_entries_reserve(impact *d, impact_key *k, uint32_t count);
void impact_open_reserve(impact *d, impact_key *k, uint32_t count);

/* impact.c */
uint32_t impact_key_add(impact *d, const tw_key *key, int64_t time_ms);
void impact_key_arm(impact *d, uint32_t number);

/* impact_state.c */
void impact_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void impact_adopt(tw_detector *d, tw_detector *old, int64_t clock_ms);
void impact_save(const tw_detector *d, tw_buf *out);
int impact_load(tw_detector *d, tw_state_in *in, tw_err *err);

/* impact_judge.c */
/* Tells the verdict on the first open event, and whether it was told. */
bool impact_judge(impact *d, uint32_t number, int64_t at_ms);
void impact_tell_gone(impact *d, uint32_t number, int64_t at_ms, const char *reason);

static inline int64_t impact_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t impact_span(const impact *d)
{
    return d->plan->before_ms + d->plan->settle_ms + d->plan->after_ms;
}

/* When the verdict on an event at time_ms falls. */
static inline int64_t impact_due(const impact *d, int64_t time_ms)
{
    return time_ms + d->plan->settle_ms + d->plan->after_ms;
}

#endif
