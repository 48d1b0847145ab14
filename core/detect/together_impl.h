// SPDX-License-Identifier: Apache-2.0
/* The together operator's insides, shared by together*.c. */
#ifndef TW_DETECT_TOGETHER_IMPL_H
#define TW_DETECT_TOGETHER_IMPL_H

#include "base/clock.h"
#include "detect/kept_ring.h"
#include "detect/together.h"
#include "flow/plan_together.h"
#include "state/timers.h"

typedef struct together_key {
    int64_t newest_ms;
    int64_t open_until_ms; /* something it told is open until then; INT64_MIN: nothing */
    tw_timer timer;
    tw_kept_ring kinds[]; /* plan->count */
} together_key;

typedef struct together {
    tw_detector base;
    tw_rule *rule;
    const tw_together_plan *plan; /* the rule's */
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *wheel;
    int64_t clock_ms; /* the last the lane told */
} together;

static inline together_key *together_key_at(const together *t, uint32_t number)
{
    return tw_keyed_at(t->keys, number);
}

/* together.c */
uint32_t together_key_add(together *t, const tw_key *key, int64_t newest_ms);
/* Removes the key when nothing of it waits or is open; else its timer is set. */
void together_key_settle(together *t, uint32_t number);

/* together_find.c: the event of that time has just been put among its kind. */
void together_complete(together *t, uint32_t number, int64_t time_ms, uint64_t seq);

/* together_state.c */
void together_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void together_adopt(tw_detector *base, tw_detector *old, int64_t clock_ms);
void together_save(const tw_detector *base, tw_buf *out);
int together_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
