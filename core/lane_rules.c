// SPDX-License-Identifier: Apache-2.0
/* A rule set on a lane: operators, clocks and the heaps of what is due. Runs on the
 * lane's thread, or on the shore while the lane is paused (adopt).
 *
 * Invariant: an instance's due_ms is never later than the first thing its clock must do
 * (release a waiting event or fire a deadline), and the heap of its domain is ordered by
 * it. */
#include "lane_rules.h"

#include "base/hash.h"
#include "base/mem.h"
#include "detect/dedup.h"
#include "detect/raised.h"
#include "detect/throttle.h"
#include "engine.h"
#include "flow/plan_emit.h"
#include "lane_emit.h"

/* ---- the heap of a domain ---------------------------------------------------------- */

static void heap_place(tw_domain *d, uint32_t at, tw_instance *inst)
{
    d->heap[at] = inst;
    inst->heap_at = at;
}

static void heap_fix(tw_domain *d, tw_instance *inst)
{
    uint32_t at = inst->heap_at;

    while (at > 0 && d->heap[(at - 1) / 2]->due_ms > inst->due_ms) {
        heap_place(d, at, d->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= d->count)
            break;
        if (child + 1 < d->count && d->heap[child + 1]->due_ms < d->heap[child]->due_ms)
            child++;
        if (d->heap[child]->due_ms >= inst->due_ms)
            break;
        heap_place(d, at, d->heap[child]);
        at = child;
    }
    heap_place(d, at, inst);
}

void tw_instance_due(tw_domain *d, tw_instance *inst)
{
    int64_t due_ms = inst->detector->cls->next_deadline(inst->detector);

    int64_t next_ms = inst->reorder ? tw_reorder_next(inst->reorder) : INT64_MAX;
    if (inst->prompt && next_ms != INT64_MAX)
        next_ms--; /* it leaves when the clock has come to it, not when it has passed */
    if (next_ms < due_ms)
        due_ms = next_ms;
    if (due_ms == inst->due_ms)
        return;
    inst->due_ms = due_ms;
    heap_fix(d, inst);
}

/* ---- clocks ------------------------------------------------------------------------ */

static void domain_fire(tw_lane *lane, tw_domain *d, int64_t clock_ms, bool inclusive)
{
    int64_t limit_ms = inclusive ? clock_ms + 1 : clock_ms;

    while (d->count && d->heap[0]->due_ms < limit_ms) {
        tw_instance *inst = d->heap[0];
        int64_t before_ms = inst->due_ms;
        tw_instance_advance(lane, inst, clock_ms, inclusive);
        tw_instance_due(d, inst);
        if (inst->due_ms == before_ms) {
            /* A lower bound that did not move: nothing was due after all. */
            inst->due_ms = limit_ms;
            heap_fix(d, inst);
        }
    }
}

void tw_domains_fire(tw_lane *lane)
{
    for (uint32_t i = 0; i < lane->rules->set->domain_count; i++) {
        tw_domain *d = &lane->rules->domains[i];
        if (d->clock_ms != TW_TIME_NONE)
            domain_fire(lane, d, d->clock_ms, false);
    }
}

int64_t tw_domain_begins(tw_lane *lane, uint32_t number, int64_t time_ms)
{
    const tw_ruleset *set = lane->rules->set;
    int64_t mine_ms = tw_domain_first(&set->domains[number], &lane->clocks, time_ms);
    int64_t said_ms = TW_TIME_NONE;

    return atomic_compare_exchange_strong(&set->begins[number], &said_ms, mine_ms)
               ? mine_ms
               : said_ms;
}

/* The first clock: time has begun, earlier than that by what was read meanwhile. */
static void domain_begin(tw_lane *lane, uint32_t number)
{
    const tw_lane_rules *rules = lane->rules;
    tw_domain *d = &rules->domains[number];

    d->begun_ms = tw_domain_begins(lane, number,
                                   d->clock_ms + rules->set->domains[number].lateness_ms);
    for (uint32_t i = 0; i < rules->set->rule_count; i++) {
        tw_instance *inst = &rules->instances[i];
        if (inst->domain == number && inst->detector->cls->begin) {
            tw_instance_begin(inst, d->begun_ms);
            tw_instance_begun(lane, inst, d->clock_ms);
            tw_instance_due(d, inst);
        }
    }
}

/* Nothing ever came. Virtual time may not have begun either. */
static void domain_wait(const tw_lane *lane, const tw_domain_spec *spec, tw_domain *d,
                        int64_t now_ms)
{
    bool waits = false;

    if (tw_domain_first(spec, &lane->clocks, INT64_MAX) != INT64_MAX)
        return; /* what was read of one partition waits for the others */
    for (uint32_t i = 0; i < d->count && now_ms > 0; i++) {
        tw_detector *det = d->heap[i]->detector;
        if (!det->cls->wait)
            continue;
        det->cls->wait(det, now_ms);
        waits = true;
    }
    if (waits)
        atomic_store_explicit(&d->waited_ms, now_ms, memory_order_release);
}

static bool reads_any(const tw_domain_spec *spec, const uint32_t *tracks, uint32_t count)
{
    for (uint32_t i = 0; i < spec->track_count; i++) {
        for (uint32_t k = 0; k < count; k++) {
            if (spec->tracks[i] == tracks[k])
                return true;
        }
    }
    return false;
}

static void domain_update(tw_lane *lane, uint32_t number, int64_t now_ms)
{
    const tw_domain_spec *spec = &lane->rules->set->domains[number];
    tw_domain *d = &lane->rules->domains[number];
    bool idle;
    int64_t clock_ms = tw_domain_clock(spec, &lane->clocks, d->clock_ms, now_ms, &idle);

    if (clock_ms != d->clock_ms) {
        bool begins = d->clock_ms == TW_TIME_NONE;
        d->clock_ms = clock_ms;
        if (begins)
            domain_begin(lane, number);
        domain_fire(lane, d, clock_ms, false);
        tw_lane_settle(lane);
        atomic_store_explicit(&d->published_ms, clock_ms, memory_order_release);
    } else if (clock_ms == TW_TIME_NONE) {
        domain_wait(lane, spec, d, now_ms);
    }
    if (idle != d->idle || idle)
        atomic_store_explicit(&d->idle, idle && tw_lane_derived_idle(lane, spec),
                              memory_order_release);
}

void tw_domains_update(tw_lane *lane, const uint32_t *tracks, uint32_t track_count,
                       int64_t now_ms)
{
    tw_ruleset *set = lane->rules->set;

    tw_lane_settle(lane);
    for (uint32_t i = 0; i < set->domain_count; i++) {
        if (tracks && set->domains[i].rank == 0 &&
            !reads_any(&set->domains[i], tracks, track_count))
            continue;
        domain_update(lane, i, now_ms);
    }
}

void tw_domains_end(tw_lane *lane, uint32_t rank)
{
    tw_ruleset *set = lane->rules->set;

    for (uint32_t i = 0; i < set->domain_count; i++) {
        tw_domain *d = &lane->rules->domains[i];
        if (set->domains[i].rank != rank)
            continue;
        bool begins = d->clock_ms == TW_TIME_NONE;
        d->clock_ms = tw_domain_end(&set->domains[i], &lane->clocks, d->clock_ms);
        if (d->clock_ms == TW_TIME_NONE)
            continue;
        if (begins)
            domain_begin(lane, i);
        domain_fire(lane, d, d->clock_ms, true);
        tw_lane_settle(lane);
        atomic_store_explicit(&d->published_ms, d->clock_ms, memory_order_release);
    }
}

/* ---- partitions -------------------------------------------------------------------- */

void tw_lane_partition_add(tw_lane *lane, uint32_t stream, uint32_t source,
                           int32_t partition, int64_t now_ms)
{
    uint32_t count = tw_engine_track_count(lane->engine);

    for (uint32_t t = 0; t < count; t++) {
        if (tw_engine_track(lane->engine, t)->stream == stream)
            tw_clocks_partition(&lane->clocks, t, source, partition, now_ms)->changed =
                false;
    }
}

void tw_lane_partition_remove(tw_lane *lane, uint32_t stream, uint32_t source,
                              int32_t partition)
{
    uint32_t count = tw_engine_track_count(lane->engine);

    for (uint32_t t = 0; t < count; t++) {
        if (tw_engine_track(lane->engine, t)->stream == stream)
            tw_clocks_forget(&lane->clocks, t, source, partition);
    }
}

/* ---- life -------------------------------------------------------------------------- */

static void guard_init(tw_instance *inst)
{
    const tw_missing_plan *plan = tw_missing_plan_of(inst->rule);

    inst->heard_from_ms = TW_TIME_NONE;
    if (plan) {
        inst->guard_ms = plan->guard_ms;
        inst->guarded_input = plan->input;
    }
}

/* What no event of it has to be asked. */
static void find_short_ways(tw_instance *inst)
{
    const tw_rule *rule = inst->rule;

    inst->immediate = !inst->reorder && !inst->dedup && !inst->detector->cls->begin &&
                      rule->incident.resolve_inputs == 0;
    for (uint32_t i = 0; i < rule->input_count; i++) {
        const tw_input *in = &rule->inputs[i];
        bool guards = inst->guard_ms > 0 && i == inst->guarded_input;
        if (in->where_fn == TW_NO_FN && in->time_slot == TW_SLOT_TIME &&
            tw_rule_future(rule, in->stream) < 0 && rule->detector != TW_DETECT_PASS &&
            !guards)
            inst->straight |= 1ull << i;
    }
}

static int instance_init(tw_lane *lane, tw_lane_rules *rules, uint32_t number,
                         tw_err *err)
{
    tw_instance *inst = &rules->instances[number];
    tw_rule *rule = rules->set->rules[number];
    tw_domain *d = &rules->domains[rules->set->rule_domain[number]];

    inst->rule = rule;
    inst->lane = lane;
    inst->ordered = rules->set->rule_ordered[number];
    inst->prompt = inst->ordered && rule->lateness_ms == 0 &&
                   !tw_engine_clock(lane->engine)->is_virtual;
    inst->name_hash = tw_hash_stable(rule->name, __builtin_strlen(rule->name));
    inst->emits_to_rules =
        rule->emit && rules->set->streams[rule->emit->stream->id].projection;
    if (rule->emit)
        inst->emitter = tw_engine_emitter(lane->engine, rule);
    inst->domain = rules->set->rule_domain[number];
    inst->due_ms = INT64_MAX;
    guard_init(inst);
    tw_engine_rule_stats(lane->engine, lane->number, inst);
    tw_detect_env env = {
        .script = rules->scripts[rule->script],
        .out = {tw_instance_on_signal, inst},
        .lane = lane->number,
        .lane_count = lane->lane_count,
        .late = inst->late,
        .evicted = inst->evicted,
        .dropped = inst->dropped,
        .keys = inst->keys,
    };
    inst->detector = tw_detector_class_of(rule)->new (rule, &env, err);
    if (!inst->detector)
        return err->code ? err->code : TW_EINVAL;
    if (rule->dedup)
        inst->dedup = tw_dedup_new(rule->dedup);
    if (rule->incident.set && rule->incident.resolve_inputs)
        inst->raised = tw_raised_new(rule->max_keys);
    if (rule->emit && rule->emit->throttle_max > 0)
        inst->throttle = tw_throttle_new(rule);
    inst->waits = rule->lateness_ms > 0 || inst->ordered;
    if (inst->waits || inst->detector->cls->begin)
        inst->reorder = tw_reorder_new(lane->slab, tw_engine_max_waiting(lane->engine));
    find_short_ways(inst);
    d->heap = tw_realloc(d->heap, (d->count + 1) * sizeof *d->heap);
    heap_place(d, d->count++, inst);
    tw_instance_due(d, inst);
    return TW_OK;
}

/* A selection of rules leaves files without any: they need no Lua state. */
static bool has_rule_of(const tw_ruleset *set, uint32_t file)
{
    for (uint32_t i = 0; i < set->rule_count; i++)
        if (set->rules[i]->script == file)
            return true;
    return false;
}

tw_lane_rules *tw_lane_rules_new(tw_lane *lane, tw_ruleset *set, tw_err *err)
{
    tw_lane_rules *rules = tw_alloc(sizeof *rules);

    rules->set = set;
    rules->script_count = tw_rule_files_count(set->files);
    rules->scripts = tw_calloc(rules->script_count + 1, sizeof *rules->scripts);
    rules->instances = tw_calloc(set->rule_count + 1, sizeof *rules->instances);
    rules->domains = tw_calloc(set->domain_count + 1, sizeof *rules->domains);
    for (uint32_t i = 0; i < set->domain_count; i++) {
        rules->domains[i].clock_ms = TW_TIME_NONE;
        rules->domains[i].begun_ms = TW_TIME_NONE;
        rules->domains[i].published_ms = TW_TIME_NONE;
    }
    for (uint32_t i = 0; i < rules->script_count; i++) {
        if (!has_rule_of(set, i))
            continue;
        const char *path = tw_rule_files_path(set->files, i);
        uint64_t seed = tw_hash_stable(path, __builtin_strlen(path));
        rules->scripts[i] = tw_rule_script_new(set->files, i, seed, err);
        if (!rules->scripts[i])
            goto fail;
        tw_engine_script_stats(lane->engine, rules->scripts[i]);
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (instance_init(lane, rules, i, err) < 0)
            goto fail;
    }
    return rules;

fail:
    tw_lane_rules_free(rules);
    return NULL;
}

void tw_lane_rules_free(tw_lane_rules *rules)
{
    if (!rules)
        return;
    for (uint32_t i = 0; i < rules->set->rule_count; i++) {
        tw_instance *inst = &rules->instances[i];
        if (inst->detector)
            inst->detector->cls->free(inst->detector);
        tw_reorder_free(inst->reorder);
        tw_instance_rows_done(inst);
        tw_dedup_free(inst->dedup);
        tw_raised_free(inst->raised);
        tw_throttle_free(inst->throttle);
    }
    for (uint32_t i = 0; i < rules->set->domain_count; i++)
        tw_free(rules->domains[i].heap);
    for (uint32_t i = 0; i < rules->script_count; i++) {
        if (rules->scripts[i])
            tw_rule_script_free(rules->scripts[i]);
    }
    tw_free(rules->scripts);
    tw_free(rules->instances);
    tw_free(rules->domains);
    tw_free(rules);
}

/* ---- partitions that run ahead ------------------------------------------------------ */

bool tw_feed_is_held(tw_lane *lane, const tw_feed_state *feed, int64_t now_ms)
{
    const tw_ruleset *set = lane->rules->set;
    const tw_stream *stream = feed->stream;

    if (feed->rests)
        return true;
    if (feed->rest || stream->align_ms == 0 || stream->id >= set->stream_count ||
        set->streams[stream->id].track_count == 0)
        return false;
    uint32_t track = set->streams[stream->id].tracks[0];
    const tw_partition_clock *p =
        tw_clocks_partition(&lane->clocks, track, feed->source, feed->partition, now_ms);
    if (!tw_clocks_is_ahead(&lane->clocks, track, p, stream->align_ms, now_ms))
        return false;
    tw_count_own(lane->held, 1);
    return true;
}
