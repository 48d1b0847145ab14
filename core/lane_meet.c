// SPDX-License-Identifier: Apache-2.0
/* From an event and the rules that it matches to the lane that owns its key for each of them: the time that a
 * rule takes it at, its key, and the memory that several rules will read. Runs on the lane's thread only, or on the
 * shore while the lane is paused.
 *
 * Invariant: rules that are keyed alike get the same bytes, made once. */
#include "base/same.h"
#include "engine.h"
#include "lane_rules.h"

#define HINTED_MAX 16 /* rules whose memory is asked for at once */

/* ---- time -------------------------------------------------------------------------- */

/* What lies too far ahead is set to the arrival, as the decoder does by the stream's bound: one bad stamp
 * would else move the clock of the rule past everything that is still to come. */
static int64_t bounded(const tw_event *ev, int64_t time_ms, int64_t future_ms,
                       bool *out_clamped)
{
    if (ev->arrival_ms == TW_TIME_NONE || time_ms - ev->arrival_ms <= future_ms)
        return time_ms;
    *out_clamped = true;
    return ev->arrival_ms;
}

bool tw_lane_own_time(const tw_lane *lane, const tw_event *ev, uint32_t slot,
                      int64_t future_ms, int64_t *out_ms, bool *out_clamped)
{
    int64_t time_ms = ev->stamp_ms;

    if (slot != TW_SLOT_TIME && tw_event_time(tw_event_slot(ev, slot), &time_ms) < 0)
        return false;
    *out_ms = bounded(ev, time_ms, future_ms >= 0 ? future_ms : lane->stream->future_ms,
                      out_clamped);
    return true;
}

/* The time that the rule takes the event at. */
static int64_t time_for(const tw_lane *lane, const tw_instance *inst, const tw_input *in,
                        const tw_event *ev)
{
    int64_t future_ms = tw_rule_future(inst->rule, in->stream), time_ms = ev->time_ms;
    bool clamped = false;

    if (in->time_slot == TW_SLOT_TIME && future_ms < 0)
        return time_ms;
    if (!tw_lane_own_time(lane, ev, in->time_slot, future_ms, &time_ms, &clamped) &&
        future_ms >= 0)
        tw_lane_own_time(lane, ev, TW_SLOT_TIME, future_ms, &time_ms, &clamped);
    if (clamped && inst->clamped) /* else it is counted where it is observed */
        tw_count_own(inst->clamped, 1);
    return time_ms;
}

/* ---- keys -------------------------------------------------------------------------- */

/* Where a rule passes events on and has no key, those that may be repeats of each other meet on one
 * lane. */
static bool key_of_repeats(const tw_rule *rule, uint32_t input, const tw_event *ev,
                           uint8_t *scratch, tw_key *out)
{
    const tw_dedup_plan *plan = rule->dedup;

    return plan && tw_key_from_event(ev, plan->slots + input * plan->by_count,
                                     plan->by_count, scratch, out);
}

/* The key of the event last asked for: rules that are keyed alike share the work. */
typedef struct event_key {
    const uint32_t *slots; /* NULL: nobody has asked yet */
    uint32_t count;
    bool is_there;
    tw_key key;
    uint8_t scratch[TW_MAX_KEY_BYTES];
} event_key;

/* Most keys are one field. */
static inline bool same_slots(const uint32_t *a, const uint32_t *b, uint32_t count)
{
    return count == 0 || (*a == *b && (count == 1 || tw_same(a, b, count * sizeof *a)));
}

static inline bool find_key(event_key *k, const tw_event *ev, const uint32_t *slots,
                            uint32_t count)
{
    if (!k->slots || k->count != count || !same_slots(k->slots, slots, count)) {
        k->slots = slots;
        k->count = count;
        k->is_there = tw_key_from_event(ev, slots, count, k->scratch, &k->key);
    }
    return k->is_there;
}

static inline const uint32_t *slots_of(const tw_rule *rule, uint32_t input)
{
    return rule->key_slots + input * rule->key_count;
}

/* ---- one rule ---------------------------------------------------------------------- */

/* The lane that owns the key judges. */
static inline void hand_over(tw_lane *lane, tw_instance *inst,
                             const tw_route_target *target, const tw_key *key,
                             const tw_event *ev, int64_t time_ms)
{
    uint32_t owner = lane->lane_count > 1 ? key->group % lane->lane_count : lane->number;

    if (owner == lane->number)
        tw_instance_judge(lane, inst, key, target->input, ev, time_ms);
    else
        tw_lane_send_event(lane, owner, target, key, ev, time_ms);
}

static bool where_holds(const tw_lane *lane, const tw_rule *rule, const tw_input *in,
                        const tw_event *ev)
{
    tw_script *script = lane->rules->scripts[rule->script];
    bool holds = false;

    if (in->where_fn == TW_NO_FN)
        return true;
    return script->cls->test_event(script, in->where_fn, ev, &holds) == 0 && holds;
}

static void hear(tw_lane *lane, tw_instance *inst, const tw_route_target *target,
                 int64_t time_ms)
{
    if (inst->guard_ms == 0 || target->input != inst->guarded_input)
        return;
    if (lane->lane_count > 1)
        tw_lane_note_heard(lane, target->rule, inst, time_ms);
    tw_instance_heard(lane, inst, time_ms, time_ms);
}

/* All that may have to be asked before an event is a rule's. */
static void on_asking_target(tw_lane *lane, const tw_event *ev,
                             const tw_route_target *target, event_key *shared)
{
    tw_instance *inst = &lane->rules->instances[target->rule];
    const tw_rule *rule = inst->rule;
    const tw_input *in = &rule->inputs[target->input];
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_key key;

    if (!where_holds(lane, rule, in, ev))
        return;
    int64_t time_ms = time_for(lane, inst, in, ev);
    /* Without a key its throttle is for all of them, so they meet on one lane, too. */
    bool alone =
        rule->detector == TW_DETECT_PASS && rule->key_count == 0 && !inst->throttle;
    bool has_key = alone && key_of_repeats(rule, target->input, ev, scratch, &key);
    if (alone && !has_key) {
        key = (tw_key){.data = scratch};
        tw_instance_judge(lane, inst, &key, target->input, ev, time_ms);
        return;
    }
    if (!has_key) {
        if (!find_key(shared, ev, slots_of(rule, target->input), rule->key_count)) {
            tw_count_own(inst->keyless, 1);
            return;
        }
        key = shared->key;
    }
    hear(lane, inst, target, time_ms);
    hand_over(lane, inst, target, &key, ev, time_ms);
}

static void on_target(tw_lane *lane, const tw_event *ev, const tw_route_target *target,
                      event_key *shared)
{
    tw_instance *inst = &lane->rules->instances[target->rule];
    const tw_rule *rule = inst->rule;

    if (!(inst->straight >> target->input & 1))
        on_asking_target(lane, ev, target, shared);
    else if (find_key(shared, ev, slots_of(rule, target->input), rule->key_count))
        hand_over(lane, inst, target, &shared->key, ev, ev->time_ms);
    else
        tw_count_own(inst->keyless, 1);
}

/* ---- all of them ------------------------------------------------------------------- */

/* Several rules judge this event: their memory is asked for together, since one waits as long for one
 * line of a cache as for ten. Only for those that are keyed as the first is. */
static void hint_targets(tw_lane *lane, const tw_event *ev,
                         const tw_route_target *targets, uint32_t n, event_key *shared)
{
    const tw_rule *first = lane->rules->instances[targets[0].rule].rule;
    const uint32_t *slots = slots_of(first, targets[0].input);
    tw_detector *hinted[HINTED_MAX];
    uint32_t count = 0;

    if (first->key_count == 0 || !find_key(shared, ev, slots, first->key_count) ||
        (lane->lane_count > 1 && shared->key.group % lane->lane_count != lane->number)) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const tw_instance *inst = &lane->rules->instances[targets[i].rule];
        const tw_rule *rule = inst->rule;
        if (inst->detector->cls->hint && rule->key_count == first->key_count &&
            same_slots(slots_of(rule, targets[i].input), slots, first->key_count)) {
            hinted[count++] = inst->detector;
            inst->detector->cls->hint(inst->detector, &shared->key, 0);
        }
    }
    for (uint32_t step = 1; step < TW_HINT_STEPS; step++) {
        for (uint32_t i = 0; i < count; i++)
            hinted[i]->cls->hint(hinted[i], &shared->key, step);
    }
}

void tw_lane_meet(tw_lane *lane, const tw_event *ev, const tw_route_target *targets,
                  uint32_t n)
{
    event_key key;

    key.slots = NULL;
    for (uint32_t at = 0, end = 0; at < n; at = end) {
        end = n - at > HINTED_MAX ? at + HINTED_MAX : n;
        if (end - at > 1)
            hint_targets(lane, ev, &targets[at], end - at, &key);
        for (uint32_t i = at; i < end; i++)
            on_target(lane, ev, &targets[i], &key);
    }
}

void tw_lane_route(tw_lane *lane, const tw_stream *stream, tw_route_scratch *scratch,
                   const tw_event *ev)
{
    const tw_route_target *targets;
    const tw_router *router = lane->rules->set->streams[stream->id].router;
    uint32_t n = tw_router_match(router, ev, scratch, &targets);

    tw_lane_meet(lane, ev, targets, n);
}
