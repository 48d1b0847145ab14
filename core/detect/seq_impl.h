// SPDX-License-Identifier: Apache-2.0
/* The sequence operator's insides, shared by seq*.c.
 *
 * A match is one block of the slab: head, how often each role stands, and what is kept of its events.
 * The block reaches as far as the step it has come to, so a match that has seen one event costs one
 * kept event and grows with what it takes. */
#ifndef TW_DETECT_SEQ_IMPL_H
#define TW_DETECT_SEQ_IMPL_H

#include "base/clock.h"
#include "detect/kept.h"
#include "detect/occurrence.h"
#include "detect/seq.h"
#include "flow/plan_seq.h"
#include "state/timers.h"

enum { SEQ_NO_BARRIER = 255 };

typedef struct seq_match {
    struct seq_match *next; /* the next younger one of the key */
    int64_t start_ms;       /* of the first event */
    int64_t base_ms;        /* the end of the step before `at`; start_ms at the first */
    int64_t last_ms; /* the newest event, or the end of the wait that was the last step */
    uint32_t first_tick,
        last_tick;   /* places of first and last event among the key's arrivals */
    uint8_t at;      /* the step that took the last event, or the wait that is over */
    uint8_t barrier; /* the guard or wait that was hurt since then; SEQ_NO_BARRIER */
    bool skipped;    /* an event has come since then that was not taken */
    uint32_t
        counts[]; /* by role; behind them tw_kept: one a role, two where it is a list */
} seq_match;

typedef struct seq_key {
    int64_t newest_ms; /* newest event of the key */
    tw_timer timer;
    seq_match *oldest; /* open matches, never none */
    uint32_t open, tick;
} seq_key;

/* Where things are in a match, by role and by step. */
typedef struct seq_layout {
    uint32_t kept_at[TW_MAX_ROLES];       /* bytes before its first tw_kept */
    uint32_t bytes[TW_SEQ_MAX_STEPS + 1]; /* of a match that has come to this step */
} seq_layout;

typedef struct seq {
    tw_detector base;
    tw_rule *rule;
    const tw_seq_plan *plan;
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *wheel;
    seq_layout layout;
    int64_t clock_ms; /* the last the lane told */
    /* The newest arrival that a match took: the same event may come again as another input. */
    tw_origin taken;
    bool has_taken;
    tw_adopted adopted; /* by the last edit */
} seq;

/* An arrival: an event as one of the rule's inputs. */
typedef struct seq_arrival {
    const tw_event *ev;
    uint32_t input;
    int64_t time_ms, now_ms; /* now: what was due before it has been done */
    uint32_t tick;
} seq_arrival;

typedef enum seq_outcome {
    SEQ_SKIPS, /* not for this match, which waits on */
    SEQ_TAKES, /* has come a step further */
    SEQ_FULL,  /* its last step is done */
    SEQ_DIES   /* can never be full any more, or was stopped */
} seq_outcome;

/* seq_match.c: one match */
void seq_layout_fill(seq_layout *layout, const tw_rule *rule, const tw_seq_plan *plan);
/* A new match when the arrival is a first step; NULL when not. */
seq_match *seq_match_begin(seq *s, const seq_arrival *a);
/* May move the match to another block. late is set when it would have counted, were it not too old. */
seq_outcome seq_match_offer(seq *s, seq_match **match, const seq_arrival *a, bool *late);
/* When the clock does something to it next: its time is over, or a wait is. */
int64_t seq_match_deadline(const seq *s, const seq_match *m);
/* At that moment: SEQ_TAKES (a wait is over, more steps follow), SEQ_FULL, or SEQ_DIES. */
seq_outcome seq_match_due(seq *s, seq_match **match);
/* Its last step is done; else whether it still has anything to wait for. */
bool seq_match_is_full(const seq *s, const seq_match *m);
bool seq_match_is_open(const seq *s, const seq_match *m);
void seq_match_give(seq *s, seq_match *m);
uint32_t seq_match_bytes(const seq *s, const seq_match *m);
seq_match *seq_match_new(seq *s, uint32_t at);
/* The kept events of a role of a match that has come that far. */
tw_kept *seq_match_kept(const seq *s, const seq_match *m, uint32_t role);
void seq_match_tell(const seq *s, const seq_match *m, const tw_key *key, int64_t at_ms,
                    uint64_t seq_number, bool timed_out);

/* seq.c */
void seq_rearm(seq *s, uint32_t number);
void seq_show_count(seq *s);

/* seq_edit.c */
void seq_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out);
void seq_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms);
/* An input of the one rule as the other numbers it. */
uint32_t seq_input_in(const tw_rule *to, const tw_rule *from, uint32_t input);

/* seq_migrate.c */
/* Which step it waits for. */
uint32_t seq_waits_for(const seq *s, const seq_match *m);
/* The match of a key as `migrate` wants it, in the new layout; NULL: dropped. What it does not take over stays
 * the old one's, which the caller gives back. */
seq_match *seq_migrate(seq *s, const seq *old, const tw_kept_change *fields,
                       uint32_t number, seq_match *from);

/* seq_state.c */
void seq_save(const tw_detector *base, tw_buf *out);
int seq_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
