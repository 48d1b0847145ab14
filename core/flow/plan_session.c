// SPDX-License-Identifier: Apache-2.0
/* See plan_session.h. */
#include "flow/plan_session.h"

#include "base/mem.h"

void tw_session_plan_free(void *plan)
{
    tw_session_plan *p = plan;

    if (!p)
        return;
    tw_free(p->split_slots);
    tw_free(p);
}
