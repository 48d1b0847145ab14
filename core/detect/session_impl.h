// SPDX-License-Identifier: Apache-2.0
/* The session operator's insides, shared by session*.c.
 *
 *      start            stop      end = the earlier of stop + gap and start + max
 *        x   x  xx   x   x.........|
 *        |<---- max ------------------->|
 */
#ifndef TW_DETECT_SESSION_IMPL_H
#define TW_DETECT_SESSION_IMPL_H

#include "base/clock.h"
#include "detect/aggregate.h"
#include "detect/kept.h"
#include "detect/session.h"
#include "detect/topk.h"
#include "flow/plan_session.h"
#include "state/timers.h"

typedef struct session_key {
    int64_t newest_ms;         /* of the key; what max_keys goes by */
    int64_t start_ms, stop_ms; /* first and last event of the session */
    int64_t ended_ms; /* no later session takes what is this old; INT64_MIN: none was */
    int64_t
        open_until_ms; /* an occurrence's incident is open until then; INT64_MIN: none */
    uint64_t count;
    tw_timer timer; /* not later than what the key waits for */
    tw_kept first, newest;
    tw_carried *split; /* one value; NULL: none has come in this session */
    bool open, told;
    uint64_t accs[]; /* tw_acc of each aggregate, at session.acc_at */
} session_key;

typedef struct session {
    tw_detector base;
    tw_rule *rule;
    const tw_session_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_aggs aggs;
    tw_keyed *keys;
    tw_timers *timers;
    uint32_t acc_at[TW_MAX_AGGS]; /* offset in an entry */
    int64_t clock_ms;             /* the last the lane told */
    uint64_t seq;                 /* of the event being handled; 0: the clock acts */
    /* scratch of one judgement: the values, then count, start, stop */
    uint32_t result_count;
    const char **names;
    double *values;
    bool *has;
    tw_top *tops;       /* NULL: no value is a list */
    tw_top_item *items; /* TW_MAX_TOP of each value */
    bool approx;
    double *node_values;
    bool *node_has;
} session;

static inline tw_acc *session_acc(const session *d, session_key *k, uint32_t agg)
{
    return (tw_acc *)(void *)((char *)k + d->acc_at[agg]);
}

static inline uint32_t session_entry_bytes(const session *d)
{
    return (uint32_t)(sizeof(session_key) + d->aggs.count * sizeof(tw_acc));
}

/* session.c */
uint32_t session_key_add(session *d, const tw_key *key, int64_t time_ms);
int64_t session_next(const session *d, const session_key *k);
void session_show_count(session *d);

/* session_tell.c */
void session_make_scratch(session *d);
void session_free_scratch(session *d);
/* The session as it is now passes `where`, and the incident's `when`. */
bool session_holds(session *d, session_key *k);
/* As session_holds left its values. closed: what ended it, NULL: nothing has yet. */
void session_tell(session *d, uint32_t number, int64_t at_ms, const char *closed);
void session_tell_gone(session *d, uint32_t number, int64_t at_ms, const char *reason);

/* session_edit.c */
void session_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void session_adopt(tw_detector *base, tw_detector *old, int64_t clock_ms);

/* session_state.c */
void session_save(const tw_detector *base, tw_buf *out);
int session_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
