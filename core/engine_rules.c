// SPDX-License-Identifier: Apache-2.0
/* What the engine tells of its rules, and lanes and counters about themselves. */
#include "engine_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/plan_seq.h"

#define MAX_WAITING 1000000

bool tw_engine_open_matches(tw_engine *e, uint32_t rule, uint64_t *out_by_step)
{
    const tw_detector_class *cls = tw_detector_class_of(e->rules->rules[rule]);
    bool was_paused = e->paused;

    if (!cls->count_open)
        return false;
    memset(out_by_step, 0, TW_SEQ_MAX_STEPS * sizeof *out_by_step);
    if (!was_paused)
        tw_engine_pause_soon(e);
    for (uint32_t i = 0; i < e->lane_count; i++)
        cls->count_open(e->lanes[i]->rules->instances[rule].detector, out_by_step);
    if (!was_paused)
        tw_engine_resume(e);
    return true;
}

void tw_engine_due(tw_engine *e, uint32_t rule, const tw_rule *fresh, tw_due *out)
{
    const tw_detector_class *cls = tw_detector_class_of(e->rules->rules[rule]);
    int64_t clock_ms = tw_engine_rule_clock(e, rule);
    bool was_paused = e->paused;

    *out = (tw_due){0};
    if (!cls->count_due || clock_ms == TW_TIME_NONE)
        return;
    if (!was_paused)
        tw_engine_pause_soon(e);
    for (uint32_t i = 0; i < e->lane_count; i++)
        cls->count_due(e->lanes[i]->rules->instances[rule].detector, fresh, clock_ms,
                       out);
    if (!was_paused)
        tw_engine_resume(e);
}

bool tw_engine_adopted(const tw_engine *e, uint32_t rule, tw_adopted *out)
{
    const tw_detector_class *cls = tw_detector_class_of(e->rules->rules[rule]);

    *out = (tw_adopted){0};
    for (uint32_t i = 0; cls->tell_adopted && i < e->lane_count; i++)
        cls->tell_adopted(e->lanes[i]->rules->instances[rule].detector, out);
    return cls->tell_adopted != NULL;
}

const tw_ruleset *tw_engine_rules(const tw_engine *e)
{
    return e->rules;
}

static uint64_t value_of(const tw_counter *c)
{
    return atomic_load_explicit(&c->value, memory_order_relaxed);
}

static void add_failures(const tw_script *script, tw_rule_counts *out)
{
    tw_script_failures f;

    tw_rule_script_failures((tw_script *)(uintptr_t)script, &f);
    out->failures += f.error + f.cpu + f.memory + f.other;
    if (f.last[0])
        snprintf(out->last_failure, sizeof out->last_failure, "%s", f.last);
}

void tw_engine_rule_counts(const tw_engine *e, uint32_t rule, tw_rule_counts *out)
{
    *out = (tw_rule_counts){0};
    for (uint32_t i = 0; i < e->lane_count; i++) {
        const tw_lane_rules *rules = e->lanes[i]->rules;
        const tw_instance *inst = &rules->instances[rule];
        out->events += value_of(inst->events);
        out->keyless += value_of(inst->keyless);
        out->late += value_of(inst->late);
        out->evicted += value_of(inst->evicted);
        if (inst->rule->emit)
            out->throttled += value_of(inst->unsent[TW_EMIT_THROTTLED]);
        out->keys += atomic_load_explicit(&inst->keys->value, memory_order_relaxed);
        add_failures(rules->scripts[inst->rule->script], out);
    }
}

uint32_t tw_engine_max_waiting(const tw_engine *e)
{
    return e->options.max_waiting ? e->options.max_waiting : MAX_WAITING;
}

const tw_track *tw_engine_track(const tw_engine *e, uint32_t number)
{
    return &e->ground.tracks.items[number];
}

uint32_t tw_engine_track_count(const tw_engine *e)
{
    return e->ground.tracks.count;
}

const tw_clock *tw_engine_clock(const tw_engine *e)
{
    return e->options.clock;
}

tw_context *tw_engine_context(const tw_engine *e)
{
    return e->context;
}

const tw_context_port *tw_engine_context_port(const tw_engine *e)
{
    return &e->context_port;
}

const tw_streams *tw_engine_streams(const tw_engine *e)
{
    return e->options.streams;
}

const tw_decode_limits *tw_engine_decode_limits(const tw_engine *e,
                                                const tw_decode_limits *fallback)
{
    return e->options.limits.size_bytes ? &e->options.limits : fallback;
}

void tw_engine_lane_stats(tw_engine *e, tw_lane *lane)
{
    tw_stats *s = e->options.stats;
    char number[16];
    snprintf(number, sizeof number, "%u", lane->number);
    const char *labels[] = {"lane", number, NULL};

    lane->frames =
        tw_stats_counter(s, "frames_total", "Records taken from sources.", labels);
    lane->bytes = tw_stats_counter(s, "frame_bytes_total",
                                   "Payload bytes taken from sources.", labels);
    lane->events = tw_stats_counter(s, "events_total", "Events decoded.", labels);
    lane->matched =
        tw_stats_counter(s, "events_matched_total",
                         "Events that at least one rule input matched.", labels);
    lane->exchanged = tw_stats_counter(s, "events_exchanged_total",
                                       "Matched events handed to another lane.", labels);
    lane->tombstones =
        tw_stats_counter(s, "tombstones_total", "Records without a value.", labels);
    lane->bad_frames =
        tw_stats_counter(s, "bad_records_total",
                         "Records that could not be decoded (dead letters).", labels);
    lane->clamped =
        tw_stats_counter(s, "events_clamped_total",
                         "Events whose time lay in the future; set to arrival.", labels);
    lane->held = tw_stats_counter(
        s, "partition_waits_total",
        "Turns in which a partition waited for a slower one of its stream.", labels);
}

static void emit_stats(tw_engine *e, const char *lane, tw_instance *inst)
{
    static const char *const reasons[TW_EMIT_OUTCOMES] = {[TW_EMIT_MISSED] = "lookup",
                                                          [TW_EMIT_TOO_LARGE] = "size",
                                                          [TW_EMIT_THROTTLED] =
                                                              "throttle"};
    tw_stats *s = e->options.stats;
    const char *labels[] = {"lane", lane, "rule", inst->rule->name, NULL, NULL, NULL};

    inst->emitted =
        tw_stats_counter(s, "rule_emitted_total", "Events that a rule emitted.", labels);
    labels[4] = "reason";
    for (int i = TW_EMIT_MISSED; i < TW_EMIT_OUTCOMES; i++) {
        labels[5] = reasons[i];
        inst->unsent[i] = tw_stats_counter(s, "rule_emit_dropped_total",
                                           "Events that a rule did not emit: throttle, a "
                                           "look-up that drops, too large.",
                                           labels);
    }
}

void tw_engine_rule_stats(tw_engine *e, uint32_t lane, tw_instance *inst)
{
    tw_stats *s = e->options.stats;
    char number[16];
    snprintf(number, sizeof number, "%u", lane);
    const char *labels[] = {"lane", number, "rule", inst->rule->name, NULL};

    inst->events =
        tw_stats_counter(s, "rule_events_total", "Events a rule judged.", labels);
    inst->keyless =
        tw_stats_counter(s, "rule_keyless_total",
                         "Matched events without a key field; not judged.", labels);
    inst->late = tw_stats_counter(
        s, "rule_late_total", "Events too late to change anything; not judged.", labels);
    inst->evicted =
        tw_stats_counter(s, "rule_keys_evicted_total",
                         "Keys dropped because max_keys was reached.", labels);
    inst->dropped = tw_stats_counter(
        s, "rule_kept_dropped_total",
        "Kept events dropped because their key had too many waiting (max).", labels);
    if (inst->rule->future_ms >= 0)
        inst->clamped = tw_stats_counter(
            s, "rule_clamped_total",
            "Events further ahead of their arrival than clock.future; set to arrival.",
            labels);
    if (inst->rule->dedup)
        inst->repeats = tw_stats_counter(s, "rule_repeats_total",
                                         "Events that dedup took for repeats.", labels);
    if (inst->rule->emit)
        emit_stats(e, number, inst);
    inst->keys = tw_stats_gauge(s, "rule_keys", "Keys a rule keeps state of.", labels);
}

void tw_engine_script_stats(tw_engine *e, tw_script *script)
{
    if (e->options.stats)
        tw_rule_script_stats(script, e->options.stats);
}
