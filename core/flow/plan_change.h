// SPDX-License-Identifier: Apache-2.0
/* `change { "in", of = "state", from =, to =, hold =, initial = }` as the engine runs it: rule->detail of a
 * rule whose detector is TW_DETECT_CHANGE. Built by core/rule, read by core/detect; immutable. */
#ifndef TW_FLOW_PLAN_CHANGE_H
#define TW_FLOW_PLAN_CHANGE_H

#include "flow/plan.h"

#define TW_MAX_CHANGE_FIELDS 16

/* The rule's facts, in this order. */
enum { TW_CHANGE_FROM, TW_CHANGE_TO, TW_CHANGE_FIELD, TW_CHANGE_FACTS };

typedef struct tw_change_plan {
    uint32_t count;                    /* fields, each with a value of its own */
    char *names[TW_MAX_CHANGE_FIELDS]; /* as written in `of` */
    /* By input of the rule: where the fields are in its stream; NULL: it is not watched. */
    uint32_t **slots;
    uint32_t input_count;
    /* What the value was and has become, as matchers on side_slot; NULL: any. With `to` the change is a
     * level that lasts while it holds. */
    uint32_t side_slot;
    tw_match_table *from, *to;
    bool has_initial;
    tw_value initial; /* of a key nothing is known of; text is owned */
    int64_t hold_ms;
} tw_change_plan;

void tw_change_plan_free(void *plan); /* NULL and half-built are fine */

#endif
