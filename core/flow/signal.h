// SPDX-License-Identifier: Apache-2.0
/* "Rule R, key K changed level, because of these events": what a detector tells the incident
 * stage. A signal handed to a port is a loan; tw_signal_copy makes one block that can travel to
 * another thread. */
#ifndef TW_FLOW_SIGNAL_H
#define TW_FLOW_SIGNAL_H

#include <stdint.h>

#include "flow/plan.h"
#include "flow/script.h"

typedef enum tw_signal_kind {
    TW_SIGNAL_LEVEL,      /* from -> level; OK ends it */
    TW_SIGNAL_OCCURRENCE, /* happened at a time, with a severity in `level` */
    TW_SIGNAL_RESOLVE, /* the handler said it is over, or the key was evicted (reason) */
    TW_SIGNAL_PENDING, /* a hold began (level = what it would be) or ended without firing (OK) */
    TW_SIGNAL_VALUE, /* what a measure or an event is now: it is only emitted */
    TW_SIGNAL_NEWS /* a level stands, and its values are others: for the texts of its incident alone */
} tw_signal_kind;

/* The events of one role: none, one, or of several the first and the last. */
typedef struct tw_role_found {
    uint32_t count;
    const tw_value *first, *last; /* rule->kept_count values each; NULL with count 0 */
    int64_t first_ms, last_ms;
} tw_role_found;

/* One of the events it rests on. */
typedef struct tw_evidence {
    tw_origin origin;
    int64_t time_ms;
} tw_evidence;

typedef struct tw_signal {
    tw_rule *rule;
    tw_signal_kind kind;
    tw_level from, level;
    int64_t at_ms; /* the rule clock's time of the decision */
    uint64_t seq;  /* of the input line that caused it, in replay */
    tw_key key;
    tw_result result;
    const tw_value *fields;       /* rule->carried_count values of the newest event */
    const tw_value *first_fields; /* rule->carried_first_count */
    tw_origin newest;             /* the event that tipped it; partition -1: none known */
    int64_t newest_ms;            /* its time */
    int64_t start_ms,
        stop_ms;        /* span of the window judged; TW_TIME_NONE when there is none */
    const char *reason; /* NULL, or why (nodata, evicted, forgotten) */
    /* RESOLVE: nothing is known that it could end, but what comes due before it may come later. It is between
     * a lane and the shore, and depends on what else the lane has: no finding of the rule. */
    bool unsure;
    bool
        by_event; /* RESOLVE: an event of `resolve.on`, which may come late; it ends what was raised by at_ms */
    json_t *fire; /* handler's options, borrowed; NULL otherwise */
    const tw_role_found *roles; /* rule->role_count; NULL: none */
    const tw_value *facts;      /* rule->fact_count; NULL: none */
    const tw_evidence
        *evidence; /* the events it rests on, oldest first; NULL: newest alone */
    uint32_t evidence_count;
    bool approx; /* values came from panes */
    int64_t
        warming_until_ms; /* since an edit its rule looks further back than it remembers; 0: no */
    const tw_event *event; /* of a rule that detects nothing: the event; NULL in a copy */
} tw_signal;

tw_signal *tw_signal_copy(const tw_signal *s); /* refs the rule */
void tw_signal_free(tw_signal *s);             /* of a copy */

typedef struct tw_signal_port {
    void (*signal)(void *self, const tw_signal *s);
    void *self;
} tw_signal_port;

#endif
