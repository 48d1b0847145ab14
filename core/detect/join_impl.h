// SPDX-License-Identifier: Apache-2.0
/* The join operator's insides, shared by join*.c. */
#ifndef TW_DETECT_JOIN_IMPL_H
#define TW_DETECT_JOIN_IMPL_H

#include "base/clock.h"
#include "detect/join.h"
#include "detect/kept_ring.h"
#include "flow/plan_join.h"
#include "state/timers.h"

/* What a left event has found so far, where more than one is waited for: its item's `more`. */
typedef struct join_found {
    uint32_t count;
    tw_kept first, last; /* by time; last only with count above 1 */
} join_found;

typedef struct join_key {
    int64_t newest_ms;
    int64_t open_until_ms; /* something it told is open until then; INT64_MIN: nothing */
    tw_timer timer;
    tw_kept_ring left, right;
} join_key;

typedef struct join {
    tw_detector base;
    tw_rule *rule;
    const tw_join_plan *plan; /* the rule's */
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *wheel;
    int64_t clock_ms;  /* the last the lane told */
    int64_t edited_ms; /* of the last edit: no span ends before; INT64_MIN: none */
    /* How long after its own time an event waits: until no partner of it can come in order. */
    int64_t left_ms, right_ms;
    bool at_end; /* left events are told when their span has passed */
} join;

static inline join_key *join_key_at(const join *j, uint32_t number)
{
    return tw_keyed_at(j->keys, number);
}

/* join.c */
void join_give_left(join *j, tw_kept_item *item);
void join_key_take(join *j, const tw_key *key, int64_t newest_ms, uint32_t *out_number);
/* Removes the key when nothing of it waits or is open; else its timer is set. */
void join_key_settle(join *j, uint32_t number);

/* join_pairs.c. The event at hand: kept only once it is needed. */
typedef struct join_now {
    const tw_event *ev;
    uint32_t number, input; /* of its key */
    tw_kept_item item;
    int64_t time_ms;
    bool done; /* a left event that waits for nothing more */
} join_now;

void join_now_keep(join *j, join_now *now);
void join_meet_rights(join *j, join_now *now);
void join_meet_lefts(join *j, join_now *now);
/* need.left above one: the event at hand has just been put on its side, at `place` if it is a left one. */
void join_complete_groups(join *j, join_now *now, bool is_left, uint32_t place);
/* The end of a left event's span. */
void join_close(join *j, uint32_t number, tw_kept_item *left);

/* join_state.c */
void join_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void join_adopt(tw_detector *base, tw_detector *old, int64_t clock_ms);
void join_save(const tw_detector *base, tw_buf *out);
int join_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
