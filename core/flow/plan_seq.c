// SPDX-License-Identifier: Apache-2.0
#include "flow/plan_seq.h"

#include <stdio.h>

#include "base/mem.h"

tw_seq_plan *tw_seq_plan_new(tw_rule *rule)
{
    tw_seq_plan *plan = tw_alloc(sizeof *plan);

    plan->within_ms = TW_SEQ_UNBOUND;
    plan->max_open = 64;
    rule->detector = TW_DETECT_SEQ;
    rule->detail = plan;
    rule->detail_free = tw_free;
    return plan;
}

void tw_seq_step_name(const tw_rule *rule, uint32_t step, char out[TW_SEQ_STEP_NAME])
{
    const tw_seq_step *s = &tw_seq_plan_of(rule)->steps[step];
    uint32_t input = 0;

    while (input + 1 < rule->input_count && !(s->inputs >> input & 1))
        input++;
    if (s->kind == TW_SEQ_EVENT)
        snprintf(out, TW_SEQ_STEP_NAME, "%s", rule->roles[s->role].name);
    else
        snprintf(out, TW_SEQ_STEP_NAME, "absent %s", rule->inputs[input].name);
}
