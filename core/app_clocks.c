// SPDX-License-Identifier: Apache-2.0
/* The clocks of rules as the incident stage may take them. A lane tells its signals first and its clock
 * then, so a clock that was read before a collection covers only signals that the collection brings.
 * Reading it later would let a deadline fire ahead of a signal that is still in the queue: an alert
 * would be told although its inhibitor is already there. Shore thread. */
#include "app_impl.h"
#include "base/mem.h"

/* What the stage asks. */
int64_t tw_app_rule_clock(void *self, const char *rule)
{
    const tw_app *app = self;

    return tw_app_order_clock(app->order, rule);
}

void tw_app_advance(tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    int64_t *clocks = tw_calloc(set->rule_count + 1, sizeof *clocks);

    for (uint32_t i = 0; i < set->rule_count; i++)
        clocks[i] = tw_engine_rule_clock(app->engine, i);
    tw_engine_collect(app->engine);
    tw_app_order_advance(app->order, clocks);
    tw_free(clocks);
}
