// SPDX-License-Identifier: Apache-2.0
/* An event meets its rule: dedup, the waiting room of a rule that judges in order, the detector, what the event
 * ends. Runs on the lane's thread, or on the shore while the lane is paused.
 *
 * Invariant: an event that is too late is told of as late exactly once for each rule, wherever that is found. */
#include "detect/dedup.h"
#include "detect/raised.h"
#include "engine.h"
#include "lane_rules.h"

/* ---- judging ----------------------------------------------------------------------- */

typedef struct release_target {
    tw_lane *lane;
    tw_instance *inst;
    int64_t clock_ms;
} release_target;

/* What an event of `resolve.on` ends, if this key may have anything to end. While a deadline before it has yet to
 * come, what that finds may be handed to incidents before this, and be ended by it. */
static void tell_resolve(tw_lane *lane, const tw_instance *inst, const tw_key *key,
                         uint32_t input, const tw_event *ev, int64_t time_ms)
{
    bool may_end = tw_raised_end(inst->raised, key, time_ms);

    if (!may_end && inst->detector->cls->next_deadline(inst->detector) >= time_ms)
        return;
    tw_signal s = {.rule = inst->rule,
                   .kind = TW_SIGNAL_RESOLVE,
                   .at_ms = time_ms,
                   .seq = ev->seq,
                   .key = *key,
                   .newest = tw_event_origin(ev),
                   .newest_ms = time_ms,
                   .start_ms = TW_TIME_NONE,
                   .stop_ms = TW_TIME_NONE,
                   .reason = inst->rule->inputs[input].name,
                   .unsure = !may_end,
                   .by_event = true};

    tw_engine_on_signal(lane, &s);
}

static bool is_repeat(tw_instance *inst, const tw_key *key, uint32_t input,
                      const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    if (!inst->dedup ||
        !tw_dedup_is_repeat(inst->dedup, key, input, ev, time_ms, clock_ms))
        return false;
    tw_count_own(inst->repeats, 1);
    return true;
}

static uint64_t count_of(const tw_counter *c)
{
    return atomic_load_explicit(&c->value, memory_order_relaxed);
}

static void tell_late(tw_lane *lane, const tw_instance *inst, const tw_key *key,
                      uint32_t input, const tw_event *ev, int64_t time_ms)
{
    if (tw_engine_tells_late(lane->engine))
        tw_engine_on_late(lane, inst, key, input, ev, time_ms);
}

/* Whether an event is late only the detector knows, and it counts it. */
static void detect(tw_lane *lane, tw_instance *inst, const tw_key *key, uint32_t input,
                   const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    uint64_t late = count_of(inst->late);

    inst->detector->cls->event(inst->detector, key, input, ev, time_ms, clock_ms);
    if (count_of(inst->late) != late)
        tell_late(lane, inst, key, input, ev, time_ms);
}

/* The detector sees the event first: what it finds by it is over by it, too. Repeats are known only here, behind the
 * waiting room: which of two events was the first is a question of their times. */
static void instance_event(tw_lane *lane, tw_instance *inst, const tw_key *key,
                           uint32_t input, const tw_event *ev, int64_t time_ms,
                           int64_t clock_ms)
{
    const tw_incident_plan *plan = &inst->rule->incident;
    if (is_repeat(inst, key, input, ev, time_ms, clock_ms))
        return;
    bool resolves = inst->raised && plan->resolve_inputs >> input & 1;

    if (!(plan->resolve_only >> input & 1))
        detect(lane, inst, key, input, ev, time_ms, clock_ms);
    if (resolves)
        tell_resolve(lane, inst, key, input, ev, time_ms);
}

/* Between two released events the operator's own deadlines come due at their times: its
 * clock moves to each event's time first, but never beyond the rule's. */
static void on_released(void *self, const tw_key *key, uint32_t input, const tw_event *ev,
                        int64_t time_ms)
{
    release_target *t = self;
    tw_detector *det = t->inst->detector;
    int64_t clock_ms = time_ms < t->clock_ms ? time_ms : t->clock_ms;

    if (det->cls->next_deadline(det) < clock_ms)
        det->cls->advance(det, clock_ms);
    instance_event(t->lane, t->inst, key, input, ev, time_ms, clock_ms);
}

void tw_instance_advance(tw_lane *lane, tw_instance *inst, int64_t clock_ms,
                         bool inclusive)
{
    tw_detector *det = inst->detector;

    if (det->cls->begin)
        det->cls->begin(det, clock_ms, clock_ms + inst->rule->lateness_ms);
    if (inst->reorder) {
        release_target target = {lane, inst, clock_ms};
        tw_reorder_port port = {on_released, &target};
        tw_reorder_release(inst->reorder, clock_ms, inclusive || inst->prompt, &port);
    }
    det->cls->advance(det, inclusive ? clock_ms + 1 : clock_ms);
}

static void judge_room(tw_lane *lane, tw_instance *inst, tw_reorder *room,
                       int64_t clock_ms)
{
    release_target target = {lane, inst, clock_ms};
    tw_reorder_port port = {on_released, &target};

    tw_reorder_release(room, INT64_MAX, true, &port);
    tw_reorder_free(room);
}

void tw_instance_judge_all(tw_lane *lane, tw_instance *inst, tw_reorder *waiting,
                           const tw_rule *of, int64_t clock_ms)
{
    tw_reorder *room = tw_reorder_new(lane->slab, UINT32_MAX);

    tw_reorder_adopt(room, inst->rule, waiting, of);
    judge_room(lane, inst, room, clock_ms);
    tw_instance_due(&lane->rules->domains[inst->domain], inst);
}

void tw_instance_begin(tw_instance *inst, int64_t time_ms)
{
    if (inst->detector->cls->begin)
        inst->detector->cls->begin(inst->detector, time_ms - inst->rule->lateness_ms,
                                   time_ms);
}

void tw_instance_begun(tw_lane *lane, tw_instance *inst, int64_t clock_ms)
{
    tw_reorder *room = inst->reorder;

    if (!room || inst->waits)
        return;
    inst->reorder = NULL;
    judge_room(lane, inst, room, clock_ms);
}

static void put_in_order(tw_lane *lane, tw_instance *inst, const tw_key *key,
                         uint32_t input, const tw_event *ev, int64_t time_ms)
{
    int64_t clock_ms = lane->rules->domains[inst->domain].clock_ms;

    if (clock_ms != TW_TIME_NONE && time_ms < clock_ms && inst->rule->lateness_ms > 0) {
        if (is_repeat(inst, key, input, ev, time_ms, time_ms))
            return; /* what was judged in time is not late */
        tw_count_own(inst->late, 1);
        tell_late(lane, inst, key, input, ev, time_ms);
        return;
    }
    if (clock_ms != TW_TIME_NONE && time_ms < clock_ms + inst->prompt) {
        /* Nothing before it waits any more. */
        instance_event(lane, inst, key, input, ev, time_ms, clock_ms);
        return;
    }
    while (tw_reorder_put(inst->reorder, key, input, ev, time_ms) == TW_EFULL) {
        /* The room is full: its oldest leave early rather than the newest getting lost.
         * Before there is a clock time begins by that, for all lanes. */
        if (clock_ms == TW_TIME_NONE)
            tw_instance_begin(inst, tw_domain_begins(lane, inst->domain,
                                                     tw_reorder_next(inst->reorder)));
        tw_instance_advance(lane, inst, tw_reorder_next(inst->reorder) + 1, false);
    }
}

void tw_instance_judge(tw_lane *lane, tw_instance *inst, const tw_key *key,
                       uint32_t input, const tw_event *ev, int64_t time_ms)
{
    tw_domain *d = &lane->rules->domains[inst->domain];

    tw_count_own(inst->events, 1);
    if (inst->immediate) {
        detect(lane, inst, key, input, ev, time_ms, d->clock_ms);
        tw_instance_due(d, inst);
        return;
    }
    if (inst->reorder)
        put_in_order(lane, inst, key, input, ev, time_ms);
    else
        instance_event(lane, inst, key, input, ev, time_ms, d->clock_ms);
    tw_instance_due(d, inst);
}
