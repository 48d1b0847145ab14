// SPDX-License-Identifier: Apache-2.0
/* "It happened, because of these events": what the detectors of several events tell. Turns kept events
 * in roles into a signal: the plain fields of templates from the newest and the first of them, the
 * evidence from all. Thread: one lane. */
#ifndef TW_DETECT_OCCURRENCE_H
#define TW_DETECT_OCCURRENCE_H

#include "detect/detector.h"
#include "detect/kept.h"

#define TW_MAX_EVIDENCE 64 /* the rest is left out; roles say how many there were */

typedef struct tw_role_events {
    uint32_t count;              /* how many events stand in the role */
    const tw_kept *first, *last; /* NULL with count 0; the same with count 1 */
} tw_role_events;

typedef struct tw_occurrence {
    tw_signal_kind kind;
    tw_level from, level; /* of LEVEL and PENDING */
    tw_key key;
    int64_t at_ms;
    uint64_t seq;
    int64_t start_ms, stop_ms;   /* TW_TIME_NONE: none */
    const tw_role_events *roles; /* rule->role_count; NULL: none */
    const tw_kept *newest,
        *first; /* plain fields; NULL: the newest and first of the roles */
    const tw_kept *const *evidence; /* oldest first; NULL: first and last of each role */
    uint32_t evidence_count;
    const tw_value *facts; /* rule->fact_count; NULL: none */
    tw_result result;      /* count 0: no values */
    bool approx;           /* a value is near the true one */
    const char *reason;
} tw_occurrence;

void tw_occurrence_tell(const tw_rule *rule, const tw_detect_env *env,
                        const tw_occurrence *o);

#endif
