// SPDX-License-Identifier: Apache-2.0
/* What a rule with `together { ... }` says: rule->detail. Role n is the n-th input of its list. */
#ifndef TW_FLOW_PLAN_TOGETHER_H
#define TW_FLOW_PLAN_TOGETHER_H

#include "flow/plan.h"

/* A span holds times t with newest - within_ms <= t <= newest. */
typedef struct tw_together_plan {
    uint32_t inputs[TW_MAX_ROLES]; /* by role */
    uint32_t need[TW_MAX_ROLES];   /* at least 1 */
    uint32_t count;                /* of roles */
    int64_t within_ms;
    int where_fn; /* where(g) */
    uint32_t max; /* events that a key keeps of each kind */
} tw_together_plan;

static inline const tw_together_plan *tw_rule_together(const tw_rule *rule)
{
    return (const tw_together_plan *)rule->detail;
}

#endif
