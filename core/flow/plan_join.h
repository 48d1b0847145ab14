// SPDX-License-Identifier: Apache-2.0
/* What a rule with `join { ... }` says: rule->detail. Role 0 is the left event, role 1 the right. */
#ifndef TW_FLOW_PLAN_JOIN_H
#define TW_FLOW_PLAN_JOIN_H

#include "flow/plan.h"

enum { TW_JOIN_LEFT, TW_JOIN_RIGHT }; /* roles */

typedef enum tw_join_tells {
    TW_JOIN_EACH,     /* every pair, at the later of the two */
    TW_JOIN_COMPLETE, /* once, when all that is needed is there */
    TW_JOIN_ON_CLOSE, /* at the end of the left's span, if what is needed came */
    TW_JOIN_ALWAYS,   /* at the end, with what came (kind = "left") */
    TW_JOIN_MISSING   /* at the end, if what is needed did not come (kind = "anti") */
} tw_join_tells;

/* right.time lies in [left.time - before_ms, left.time + after_ms]. */
typedef struct tw_join_plan {
    uint32_t left, right; /* inputs; may be the same */
    int64_t before_ms, after_ms;
    int where_fn; /* where(l, r) */
    tw_join_tells tells;
    uint32_t need_left, need_right; /* at least 1; need_left above 1 only with COMPLETE */
    uint32_t max;                   /* events that a key keeps of each side */
} tw_join_plan;

static inline const tw_join_plan *tw_rule_join(const tw_rule *rule)
{
    return (const tw_join_plan *)rule->detail;
}

#endif
