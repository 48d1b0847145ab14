// SPDX-License-Identifier: Apache-2.0
/* Switching rule sets, and what the engine tells lanes and counters about themselves. */
#include "engine_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/plan_seq.h"

#define MAX_WAITING 1000000

static bool keeps_state(const tw_rule *fresh, const tw_rule *old)
{
    tw_edit edit;

    return tw_rule_fate(fresh, old, &edit) != TW_FATE_COLD;
}

/* By rule of the old set: the number of the one that goes on with it, or -1. Caller frees. */
static int64_t *list_heirs(const tw_ruleset *fresh, const tw_ruleset *old)
{
    int64_t *heirs = tw_calloc(old->rule_count + 1, sizeof *heirs);

    for (uint32_t i = 0; i < old->rule_count; i++)
        heirs[i] = -1;
    for (uint32_t i = 0; i < fresh->rule_count; i++) {
        int64_t before = tw_ruleset_before(old, fresh->rules[i]);
        if (before >= 0)
            heirs[before] = i;
    }
    return heirs;
}

static void count_heir(const tw_rule *fresh, const tw_rule *old, tw_switch_report *out)
{
    if (strcmp(fresh->name, old->name) != 0)
        out->moved++;
    else if (strcmp(fresh->hash, old->hash) == 0)
        out->unchanged++;
    else
        out->changed++;
    if (keeps_state(fresh, old))
        out->state_kept++;
}

static void count_changes(const tw_ruleset *fresh, const tw_ruleset *old,
                          const int64_t *heirs, tw_switch_report *out)
{
    out->added = fresh->rule_count;
    for (uint32_t i = 0; i < old->rule_count; i++) {
        if (heirs[i] < 0) {
            out->removed++;
            continue;
        }
        out->added--;
        count_heir(fresh->rules[heirs[i]], old->rules[i], out);
    }
}

static void report_gone(const tw_ruleset *fresh, const tw_ruleset *old,
                        const int64_t *heirs, tw_rule_gone gone, void *self)
{
    for (uint32_t i = 0; gone && i < old->rule_count; i++) {
        const tw_rule *before = old->rules[i];
        tw_rule *now = heirs[i] < 0 ? NULL : fresh->rules[heirs[i]];
        if (!now)
            gone(self, before, NULL, "rule removed");
        else if (!keeps_state(now, before))
            gone(self, before, NULL, "rule changed");
        else if (strcmp(now->name, before->name) != 0)
            gone(self, before, now, "rule renamed");
    }
}

/* ---- parked rules ------------------------------------------------------------------ */

static void park_rule(tw_engine *e, uint32_t number, int64_t now_ms)
{
    tw_instance **instances = tw_calloc(e->lane_count, sizeof(tw_instance *));

    for (uint32_t i = 0; i < e->lane_count; i++)
        instances[i] = &e->lanes[i]->rules->instances[number];
    tw_park_put(&e->park, instances, e->lane_count, now_ms);
    tw_free(instances);
}

/* Rules of the old set that are gone, or know nothing more in the new one. */
static void park_rules(tw_engine *e, const tw_ruleset *fresh, const int64_t *heirs,
                       int64_t now_ms)
{
    for (uint32_t i = 0; i < e->rules->rule_count; i++)
        if (heirs[i] < 0 || !keeps_state(fresh->rules[heirs[i]], e->rules->rules[i]))
            park_rule(e, i, now_ms);
}

/* By rule of the new set: what it goes on with that was parked. Out of the park; caller frees. */
static tw_parked **take_parked(tw_engine *e, const tw_ruleset *fresh, int64_t now_ms)
{
    tw_parked **list = tw_calloc(fresh->rule_count + 1, sizeof(tw_parked *));
    char why[128];

    for (uint32_t i = 0; i < fresh->rule_count; i++) {
        int64_t before = tw_ruleset_before(e->rules, fresh->rules[i]);
        if (before >= 0 && keeps_state(fresh->rules[i], e->rules->rules[before]))
            continue;
        list[i] = tw_park_find(&e->park, fresh->rules[i], now_ms, why, sizeof why);
        if (list[i])
            tw_park_take(&e->park, list[i]);
    }
    return list;
}

static uint32_t free_parked(tw_engine *e, tw_parked **list, uint32_t count)
{
    uint32_t revived = 0;

    for (uint32_t i = 0; i < count; i++) {
        revived += list[i] != NULL;
        tw_parked_free(list[i]);
    }
    tw_free(list);
    tw_count(e->park.revived, revived);
    return revived;
}

const tw_park *tw_engine_park(const tw_engine *e)
{
    return &e->park;
}

void tw_engine_park_saved(tw_engine *e, uint32_t lane, const tw_saved_rule *saved)
{
    tw_park_saved(&e->park, saved, lane, e->lane_count,
                  tw_clock_now_ms(e->options.clock));
}

static void free_all(tw_lane_rules **rules, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tw_lane_rules_free(rules[i]);
    tw_free(rules);
}

/* By domain of the rules that lanes have; caller frees. */
static tw_start *list_starts(const tw_engine *e)
{
    uint32_t count = e->lanes[0]->rules->set->domain_count;
    tw_start *starts = tw_calloc(count + 1, sizeof *starts);

    for (uint32_t i = 0; i < count; i++)
        starts[i] = (tw_start){TW_TIME_NONE, TW_TIME_NONE};
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_lane_rules_starts(e->lanes[i], tw_clock_now_ms(e->options.clock), starts);
    return starts;
}

/* All lanes have adopted their new rules: these go on from one time. What they emit by that reaches every
 * lane, so that rules that read it begin at one time, too. */
static void begin_rules(tw_engine *e, tw_lane_rules **old)
{
    tw_start *starts = list_starts(e);

    e->one = true;
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_lane_rules_begin(e->lanes[i], old[i], starts);
    tw_engine_exchange(e);
    e->one = false;
    tw_free(starts);
}

void tw_engine_expect_keys(tw_engine *e)
{
    tw_start *starts = list_starts(e);

    for (uint32_t r = 0; r < e->rules->rule_count; r++) {
        const tw_missing_plan *plan = tw_missing_plan_of(e->rules->rules[r]);
        const tw_rows *rows = plan && plan->table && e->tables
                                  ? tw_table_view_rows(e->tables, plan->table)
                                  : NULL;
        if (!rows)
            continue;
        tw_expected *set = tw_expected_new(plan, rows);
        for (uint32_t i = 0; i < e->lane_count; i++)
            tw_lane_rules_expect(e->lanes[i]->rules, r, set, starts);
        if (tw_expected_keyless(set))
            tw_log_warn("rules", "rows of a table have no key for what is expected",
                        "rule", e->rules->rules[r]->name, "table", plan->table, "rows",
                        TW_LOG_INT(tw_expected_keyless(set)), NULL);
        else if (tw_expected_count(set) == 0 && tw_rows_count(rows) > 0)
            tw_log_warn("rules", "no row of the table is one that the rule expects",
                        "rule", e->rules->rules[r]->name, "table", plan->table, "rows",
                        TW_LOG_INT(tw_rows_count(rows)), NULL);
        tw_expected_unref(set);
    }
    tw_free(starts);
}

int tw_engine_switch(tw_engine *e, tw_rule_files *files, tw_rule_gone gone, void *self,
                     tw_switch_report *out, tw_err *err)
{
    tw_lane_rules **fresh = tw_calloc(e->lane_count, sizeof(tw_lane_rules *));
    tw_ruleset *old = e->rules;
    tw_ruleset *set =
        tw_ruleset_new(files, e->options.streams, &e->ground, e->generation + 1, err);
    if (!set)
        goto fail;
    for (uint32_t i = 0; i < e->lane_count; i++) {
        fresh[i] = tw_lane_rules_new(e->lanes[i], set, err);
        if (!fresh[i])
            goto fail;
    }

    if (tw_rule_thread_enter(err) < 0) /* an edited rule may look at its matches */
        goto fail;
    bool was_paused = e->paused;
    int64_t start_ns = tw_mono_ns();
    if (!was_paused)
        tw_engine_pause_soon(e);
    tw_engine_collect(e);
    int64_t *heirs = list_heirs(set, old);
    report_gone(set, old, heirs, gone, self);
    int64_t now_ms = tw_clock_now_ms(e->options.clock);
    tw_parked **parked = take_parked(e, set, now_ms);
    park_rules(e, set, heirs, now_ms);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        tw_lane_rules *before = e->lanes[i]->rules;
        tw_lane_rules_adopt(e->lanes[i], fresh[i], before, parked);
        fresh[i] = before;
    }
    begin_rules(e, fresh);
    tw_rule_thread_leave();
    e->rules = set;
    tw_engine_expect_keys(e);
    if (!was_paused)
        tw_engine_resume(e);
    *out = (tw_switch_report){.generation = ++e->generation,
                              .pause_us = (tw_mono_ns() - start_ns) / 1000};
    count_changes(set, old, heirs, out);
    out->revived = free_parked(e, parked, set->rule_count);
    tw_free(heirs);
    free_all(fresh, e->lane_count);
    tw_ruleset_free(old);
    return TW_OK;

fail:
    free_all(fresh, e->lane_count);
    tw_ruleset_free(set);
    return err->code ? err->code : TW_EINVAL;
}

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

int64_t tw_engine_rule_clock(const tw_engine *e, uint32_t rule)
{
    uint32_t domain = e->rules->rule_domain[rule];
    int64_t clock_ms = INT64_MAX;

    for (uint32_t i = 0; i < e->lane_count; i++) {
        int64_t lane_ms = atomic_load_explicit(
            &e->lanes[i]->rules->domains[domain].published_ms, memory_order_acquire);
        clock_ms = lane_ms < clock_ms ? lane_ms : clock_ms;
    }
    return clock_ms;
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
