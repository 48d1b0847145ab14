// SPDX-License-Identifier: Apache-2.0
/* See plan_change.h. */
#include "flow/plan_change.h"

#include "base/mem.h"

void tw_change_plan_free(void *plan)
{
    tw_change_plan *p = plan;

    if (!p)
        return;
    for (uint32_t i = 0; i < p->count; i++)
        tw_free(p->names[i]);
    for (uint32_t i = 0; i < p->input_count; i++)
        tw_free(p->slots[i]);
    tw_free(p->slots);
    tw_match_table_free(p->from);
    tw_match_table_free(p->to);
    if (p->has_initial && p->initial.type >= TW_STRING)
        tw_free((char *)(uintptr_t)p->initial.s);
    tw_free(p);
}
