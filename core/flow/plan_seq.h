// SPDX-License-Identifier: Apache-2.0
/* What a sequence waits for: `rule->detail` of a rule whose detector is `seq`. Built by core/rule, read by
 * core/detect; immutable.
 *
 *     step   deploy      err x20       (no rollback)
 *     kind   EVENT       EVENT         WAIT lasting 10m
 *
 * A GUARD stands before the EVENT step it guards the way to; a WAIT takes its own time. Invariants, which
 * core/rule checks: the first step and what follows optional first steps is an EVENT; behind a GUARD comes
 * a GUARD or an EVENT; the last step is not a GUARD and not optional; every match ends, since a step
 * without `within` stands only under a whole that has one. */
#ifndef TW_FLOW_PLAN_SEQ_H
#define TW_FLOW_PLAN_SEQ_H

#include "flow/plan.h"

#define TW_SEQ_MAX_STEPS 32
#define TW_SEQ_UNBOUND INT64_MAX /* no `within` */

typedef enum tw_seq_kind {
    TW_SEQ_EVENT,
    TW_SEQ_GUARD, /* an absent step without lasting */
    TW_SEQ_WAIT   /* an absent step with lasting */
} tw_seq_kind;

typedef struct tw_seq_step {
    tw_seq_kind kind;
    uint64_t inputs;   /* a bit each */
    int where_fn;      /* where(e, m) */
    uint32_t role;     /* EVENT */
    uint32_t min, max; /* how often; max UINT32_MAX: any number */
    int64_t
        within_ms; /* EVENT: from the end of the step before; the first from its own beginning */
    int64_t lasting_ms; /* WAIT */
    bool optional, strict, run;
    bool before_wait; /* a WAIT opens as soon as this step has enough */
} tw_seq_step;

typedef enum tw_seq_overlap {
    TW_SEQ_NEWEST,
    TW_SEQ_OLDEST,
    TW_SEQ_EVERY,
    TW_SEQ_PAST_LAST
} tw_seq_overlap;

typedef struct tw_seq_plan {
    tw_seq_step steps[TW_SEQ_MAX_STEPS];
    uint32_t step_count;
    int64_t within_ms; /* from the first event */
    tw_seq_overlap overlap;
    uint64_t stop_inputs;
    bool emit_timeouts; /* and the rule has one fact, `timed_out` */
    uint32_t max_open;  /* a key's open matches; beyond them the oldest goes */
} tw_seq_plan;

static inline const tw_seq_plan *tw_seq_plan_of(const tw_rule *rule)
{
    return rule->detail;
}

/* What a step is called: as its role, or "absent x". */
#define TW_SEQ_STEP_NAME 160
void tw_seq_step_name(const tw_rule *rule, uint32_t step, char out[TW_SEQ_STEP_NAME]);

/* Makes it the rule's, empty; the rule frees it. */
tw_seq_plan *tw_seq_plan_new(tw_rule *rule);

#endif
