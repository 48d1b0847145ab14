// SPDX-License-Identifier: Apache-2.0
/* The change operator's insides, shared by change*.c.
 *
 * Each field of a key for itself:
 *
 *              another value                held for `hold`
 *     counted ---------------> next waits ------------------> it is the counted one; told when from
 *        ^                         |                          and to agree
 *        +-------------------------+
 *           back, or yet another
 *
 * With `to` what was told is open until the field has another value that `to` does not take. */
#ifndef TW_DETECT_CHANGE_IMPL_H
#define TW_DETECT_CHANGE_IMPL_H

#include "base/clock.h"
#include "detect/change.h"
#include "detect/kept.h"
#include "flow/plan_change.h"
#include "state/timers.h"

typedef struct change_field {
    tw_carried *counted; /* one value; NULL: nothing is known yet */
    tw_carried *next;    /* one that differs and waits for its hold; NULL: none */
    int64_t since_ms; /* of next, or of what is open: time of the event that brought it */
    tw_kept made;     /* that event, when rules have a hold */
    bool open;        /* told, and the field is still what `to` takes */
} change_field;

typedef struct change_key {
    int64_t newest_ms;
    int64_t
        open_until_ms; /* an occurrence's incident is open until then; INT64_MIN: none */
    tw_timer timer;    /* not later than what the key waits for */
    tw_kept newest;
    bool told, told_pending; /* as the incident stage knows it; only with `to` */
    change_field fields[];   /* plan->count */
} change_key;

typedef struct change {
    tw_detector base;
    tw_rule *rule;
    const tw_change_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *timers;
    int64_t clock_ms; /* the last the lane told */
    uint64_t seq;     /* of the event being handled; 0: the clock acts */
    tw_value *slots;  /* scratch: an event with one field, for from and to */
} change;

static inline uint32_t change_entry_bytes(const change *d)
{
    return (uint32_t)(sizeof(change_key) + d->plan->count * sizeof(change_field));
}

/* change.c */
int64_t change_next(const change *d, const change_key *k);
uint32_t change_key_add(change *d, const tw_key *key, int64_t time_ms);
void change_key_remove(change *d, uint32_t number);
void change_show_count(change *d);

/* change_tell.c */
bool change_side_holds(const change *d, const tw_match_table *side, tw_value v);
bool change_is_asked_for(const change *d, tw_value from, tw_value to);
bool change_waits(const change *d, const change_field *f); /* to be told */
bool change_any_open(const change *d, const change_key *k);
void change_tell(change *d, uint32_t number, const change_field *f, tw_signal_kind kind,
                 tw_level level, tw_value from, tw_value to, int64_t at_ms,
                 const char *reason);
/* A hold has begun, or ended without anything told. */
void change_tell_pending(change *d, uint32_t number, int64_t at_ms);
void change_tell_gone(change *d, uint32_t number, int64_t at_ms, const char *reason);

/* change_edit.c */
void change_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void change_count_due(const tw_detector *base, const tw_rule *fresh, int64_t clock_ms,
                      tw_due *out);
void change_adopt(tw_detector *base, tw_detector *old, int64_t clock_ms);

/* change_state.c */
void change_save(const tw_detector *base, tw_buf *out);
int change_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
