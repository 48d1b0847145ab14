// SPDX-License-Identifier: Apache-2.0
/* The end of an emit plan; see plan_emit.h. Any thread. */
#include "flow/plan_emit.h"

#include "base/mem.h"

void tw_emit_plan_free(tw_emit_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        tw_free(plan->steps[i].name);
        tw_free(plan->steps[i].literal);
        tw_template_done(&plan->steps[i].value);
    }
    for (uint32_t i = 0; i < plan->member_count; i++)
        tw_free(plan->members[i]);
    tw_free(plan->members);
    tw_free(plan->steps);
    tw_free(plan);
}
