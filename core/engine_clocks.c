// SPDX-License-Identifier: Apache-2.0
/* How far time has come for a rule, over all lanes, as the shore may know it. Any thread; lanes publish behind what
 * they tell. */
#include "engine_impl.h"

static int64_t earlier(const _Atomic int64_t *lane_ms, int64_t than_ms)
{
    int64_t ms = atomic_load_explicit(lane_ms, memory_order_acquire);

    return ms < than_ms ? ms : than_ms;
}

int64_t tw_engine_rule_clock(const tw_engine *e, uint32_t rule)
{
    uint32_t domain = e->rules->rule_domain[rule];
    int64_t clock_ms = INT64_MAX;

    for (uint32_t i = 0; i < e->lane_count; i++)
        clock_ms = earlier(&e->lanes[i]->rules->domains[domain].published_ms, clock_ms);
    return clock_ms;
}

int64_t tw_engine_rule_waited(const tw_engine *e, uint32_t rule)
{
    uint32_t domain = e->rules->rule_domain[rule];
    int64_t waited_ms = INT64_MAX;

    if (!tw_detector_class_of(e->rules->rules[rule])->wait ||
        tw_engine_rule_clock(e, rule) != TW_TIME_NONE)
        return 0;
    for (uint32_t i = 0; i < e->lane_count; i++)
        waited_ms = earlier(&e->lanes[i]->rules->domains[domain].waited_ms, waited_ms);
    return waited_ms;
}

bool tw_engine_rule_idle(const tw_engine *e, uint32_t rule)
{
    uint32_t domain = e->rules->rule_domain[rule];

    for (uint32_t i = 0; i < e->lane_count; i++) {
        if (!atomic_load_explicit(&e->lanes[i]->rules->domains[domain].idle,
                                  memory_order_acquire))
            return false;
    }
    return true;
}
