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

bool tw_app_rule_idle(void *self, const char *rule)
{
    const tw_app *app = self;

    return tw_app_order_idle(app->order, rule);
}

void tw_app_advance(tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    tw_rule_time *times = tw_calloc(set->rule_count + 1, sizeof *times);

    for (uint32_t i = 0; i < set->rule_count; i++) {
        times[i].idle =
            tw_engine_rule_idle(app->engine, i); /* first: the clock is told before */
        times[i].waited_ms = tw_engine_rule_waited(app->engine, i);
        times[i].clock_ms = tw_engine_rule_clock(app->engine, i);
    }
    tw_engine_collect(app->engine);
    tw_app_order_advance(app->order, times);
    tw_free(times);
}
