// SPDX-License-Identifier: Apache-2.0
/* The clocks of rules as the incident stage may take them. A lane tells its signals first and its clock
 * then, so a clock that was read before a collection covers only signals that the collection brings.
 * Reading it later would let a deadline fire ahead of a signal that is still in the queue: an alert
 * would be told although its inhibitor is already there. Shore thread. */
#include "app_impl.h"
#include "base/mem.h"

/* What the stage asks: the clocks of the last round, whose signals have all been collected. */
int64_t tw_app_rule_clock(void *self, const char *rule)
{
    const tw_app *app = self;
    const tw_ruleset *set = tw_engine_rules(app->engine);
    int64_t number = tw_ruleset_find(set, rule);

    if (number < 0 || set->generation != app->clock_generation ||
        (uint32_t)number >= app->clock_count)
        return TW_TIME_NONE;
    return app->clocks[number];
}

void tw_app_advance(tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    int64_t *fresh = tw_calloc(set->rule_count + 1, sizeof *fresh);

    for (uint32_t i = 0; i < set->rule_count; i++)
        fresh[i] = tw_engine_rule_clock(app->engine, i);
    tw_engine_collect(app->engine);
    tw_free(app->clocks);
    app->clocks = fresh;
    app->clock_count = set->rule_count;
    app->clock_generation = set->generation;
    tw_incidents_advance(app->incidents, tw_app_rule_clock, app, false);
}
