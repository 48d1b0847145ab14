// SPDX-License-Identifier: Apache-2.0
/* From one rule set to the next on a lane: operators, clocks and Lua states take over what those before them
 * knew. On the shore while all lanes stand still.
 *
 * Invariant: what begins with the new rule set begins at one time on all lanes, whatever waits on which. So every lane
 * adopts first, then the shore says when, and only then events that wait are judged. */
#include "detect/dedup.h"
#include "detect/raised.h"
#include "detect/throttle.h"
#include "engine.h"
#include "lane_emit.h"
#include "lane_rules.h"
#include "park.h"

/* clock_ms: of the old rule. */
static void adopt_instance(tw_domain *d, tw_instance *fresh, tw_instance *old,
                           int64_t clock_ms)
{
    tw_edit edit;

    if (fresh->reorder && old->reorder && tw_edit_same_events(fresh->rule, old->rule))
        tw_reorder_adopt(fresh->reorder, fresh->rule, old->reorder, old->rule);
    if (tw_rule_fate(fresh->rule, old->rule, &edit) == TW_FATE_COLD) {
        tw_instance_due(d, fresh);
        return;
    }
    fresh->goes_on = true;
    fresh->warming_until_ms =
        tw_edit_warming_until(&edit, old->warming_until_ms, clock_ms);
    fresh->detector->cls->adopt(fresh->detector, old->detector, clock_ms);
    if (tw_dedup_same_by(fresh->rule, old->rule))
        tw_dedup_adopt(fresh->dedup, old->dedup);
    if (fresh->raised)
        tw_raised_adopt(fresh->raised, old->raised);
    if (fresh->throttle && old->throttle)
        tw_throttle_adopt(fresh->throttle, old->throttle);
    tw_instance_due(d, fresh);
}

/* Events wait for their turn, and the newer version lets none wait: it is theirs now. */
static void judge_waiting(tw_lane *lane, tw_lane_rules *old, const tw_start *starts)
{
    tw_lane_rules *fresh = lane->rules;

    for (uint32_t i = 0; i < fresh->set->rule_count; i++) {
        tw_instance *inst = &fresh->instances[i];
        int64_t number = tw_ruleset_before(old->set, inst->rule);
        tw_instance *before = number < 0 ? NULL : &old->instances[number];
        if (before && before->reorder && !inst->reorder &&
            tw_edit_same_events(inst->rule, before->rule))
            tw_instance_judge_all(lane, inst, before->reorder, before->rule,
                                  starts[inst->domain].clock_ms);
    }
}

/* Now, since who waits there stands in memory of the lane, which goes on before the old rules are freed. */
static void empty_rooms(tw_lane_rules *old)
{
    for (uint32_t i = 0; i < old->set->rule_count; i++) {
        tw_reorder_free(old->instances[i].reorder);
        old->instances[i].reorder = NULL;
    }
}

/* By the wall, since clocks of rules stand still while nobody reads their streams. */
static void wake_instance(tw_lane *lane, tw_lane_rules *fresh, tw_instance *inst,
                          const tw_parked *parked)
{
    int64_t now_ms = tw_clock_now_ms(lane->clock);

    tw_parked_wake(parked, inst, fresh->scripts[inst->rule->script], now_ms);
    tw_instance_due(&fresh->domains[inst->domain], inst);
}

/* Also for the shore: a rule whose clock it does not know would hold up nobody. */
static void set_clock(tw_domain *d, int64_t clock_ms)
{
    d->clock_ms = clock_ms;
    atomic_store_explicit(&d->published_ms, clock_ms, memory_order_release);
}

static void adopt_clocks(tw_lane_rules *fresh, const tw_lane_rules *old)
{
    for (uint32_t i = 0; i < fresh->set->domain_count; i++) {
        for (uint32_t k = 0; k < old->set->domain_count; k++) {
            if (!tw_domain_spec_equal(&fresh->set->domains[i], &old->set->domains[k]))
                continue;
            set_clock(&fresh->domains[i], old->domains[k].clock_ms);
            atomic_store(&fresh->set->begins[i], atomic_load(&old->set->begins[k]));
        }
    }
}

/* Files are sorted by path in both. */
static void adopt_scripts(tw_lane_rules *fresh, tw_lane_rules *old)
{
    uint32_t i = 0, k = 0;

    while (i < fresh->script_count && k < old->script_count) {
        int order = __builtin_strcmp(tw_rule_files_path(fresh->set->files, i),
                                     tw_rule_files_path(old->set->files, k));
        if (order == 0 && fresh->scripts[i] && old->scripts[k])
            tw_rule_script_adopt(fresh->scripts[i], old->scripts[k]);
        i += order <= 0;
        k += order >= 0;
    }
}

void tw_lane_rules_adopt(tw_lane *lane, tw_lane_rules *fresh, tw_lane_rules *old,
                         tw_parked *const *parked)
{
    lane->rules = fresh;
    adopt_clocks(fresh, old);
    adopt_scripts(fresh, old);
    for (uint32_t i = 0; i < fresh->set->rule_count; i++) {
        tw_instance *inst = &fresh->instances[i];
        int64_t number = tw_ruleset_before(old->set, inst->rule);
        tw_instance *before = number < 0 ? NULL : &old->instances[number];
        if (before)
            adopt_instance(&fresh->domains[inst->domain], inst, before,
                           old->domains[before->domain].clock_ms);
        if (parked[i])
            wake_instance(lane, fresh, inst, parked[i]);
    }
    tw_lane_derive(lane);
}

/* ---- what begins ------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void tw_lane_rules_starts(const tw_lane *lane, int64_t now_ms, tw_start *starts)
{
    const tw_lane_rules *rules = lane->rules;

    for (uint32_t i = 0; i < rules->set->domain_count; i++) {
        const tw_domain_spec *spec = &rules->set->domains[i];
        tw_start *s = &starts[i];
        int64_t clock_ms = tw_domain_clock(spec, &lane->clocks,
                                           rules->domains[i].clock_ms, now_ms, NULL);
        s->clock_ms = later(s->clock_ms, clock_ms);
        s->newest_ms = tw_domain_end(spec, &lane->clocks, s->newest_ms);
        if (s->clock_ms != TW_TIME_NONE)
            s->newest_ms = later(s->newest_ms, s->clock_ms + spec->lateness_ms);
    }
}

/* What starts anew has not seen what was read before, so its time begins behind it, clock or not. */
static void begin_instances(tw_lane *lane, const tw_start *starts)
{
    tw_lane_rules *rules = lane->rules;

    for (uint32_t i = 0; i < rules->set->rule_count; i++) {
        tw_instance *inst = &rules->instances[i];
        const tw_start *s = &starts[inst->domain];
        int64_t clock_ms = s->clock_ms;
        if (!inst->detector->cls->begin)
            continue;
        if (clock_ms == TW_TIME_NONE && !inst->goes_on && s->newest_ms != TW_TIME_NONE)
            clock_ms = s->newest_ms - inst->rule->lateness_ms;
        inst->detector->cls->begin(inst->detector, clock_ms, s->newest_ms);
        if (clock_ms != TW_TIME_NONE)
            tw_instance_begun(lane, inst, s->clock_ms);
        tw_instance_due(&rules->domains[inst->domain], inst);
    }
}

/* A clock that came with the new rules is as far as its streams are, and begins nothing. */
static void start_clocks(tw_lane_rules *rules, const tw_start *starts)
{
    for (uint32_t i = 0; i < rules->set->domain_count; i++)
        if (rules->domains[i].clock_ms == TW_TIME_NONE)
            set_clock(&rules->domains[i], starts[i].clock_ms);
}

/* A rule that reads a stream anew is to know how it begins. */
static void begin_feeds(tw_lane *lane)
{
    for (uint32_t i = 0; i < lane->feed_count; i++)
        lane->feeds[i]->has_begun = false;
}

void tw_lane_rules_begin(tw_lane *lane, tw_lane_rules *old, const tw_start *starts)
{
    tw_lane_hold(lane, true);
    begin_feeds(lane);
    start_clocks(lane->rules, starts);
    begin_instances(lane, starts);
    judge_waiting(lane, old, starts);
    empty_rooms(old);
    tw_domains_fire(lane);
    tw_domains_update(lane, NULL, 0, tw_clock_now_ms(lane->clock));
    tw_lane_hold(lane, false);
}
