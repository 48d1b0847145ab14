// SPDX-License-Identifier: Apache-2.0
#include "flow/plan_seq.h"

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
