// SPDX-License-Identifier: Apache-2.0
/* `session { gap =, max =, of =, where =, emit =, split_on = }` as the engine runs it: rule->detail of a rule
 * whose detector is TW_DETECT_SESSION. What is measured is the rule's level plan (aggs, values), as for
 * a level. Built by core/rule, read by core/detect; immutable. */
#ifndef TW_FLOW_PLAN_SESSION_H
#define TW_FLOW_PLAN_SESSION_H

#include "flow/plan.h"

typedef enum tw_session_emit { TW_SESSION_CLOSE, TW_SESSION_FIRST } tw_session_emit;

/* The rule's facts, in this order. */
enum { TW_SESSION_CLOSED, TW_SESSION_FACTS };

typedef struct tw_session_plan {
    int64_t gap_ms, max_ms; /* max 0: none */
    int where_fn;           /* of the session's values; TW_NO_FN: every session */
    tw_session_emit emit;
    uint32_t *split_slots; /* by input; NULL: nothing splits a session but time */
} tw_session_plan;

void tw_session_plan_free(void *plan); /* NULL and half-built are fine */

#endif
