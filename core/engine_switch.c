// SPDX-License-Identifier: Apache-2.0
/* Switching rule sets: compiled beside the running rules, then all lanes go over at one point, with the tables they
 * are made for. Shore thread. */
#include "engine_impl.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

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
                        const int64_t *heirs, const tw_switch *to)
{
    for (uint32_t i = 0; to->gone && i < old->rule_count; i++) {
        const tw_rule *before = old->rules[i];
        tw_rule *now = heirs[i] < 0 ? NULL : fresh->rules[heirs[i]];
        if (!now)
            to->gone(to->self, before, NULL, "rule removed");
        else if (!keeps_state(now, before))
            to->gone(to->self, before, NULL, "rule changed");
        else if (strcmp(now->name, before->name) != 0)
            to->gone(to->self, before, now, "rule renamed");
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

/* All lanes go over, paused; `fresh` gets what they had. Returns what it revived; caller frees it. */
static tw_parked **go_over(tw_engine *e, tw_ruleset *set, tw_lane_rules **fresh,
                           const int64_t *heirs)
{
    int64_t now_ms = tw_clock_now_ms(e->options.clock);
    tw_parked **parked = take_parked(e, set, now_ms);

    park_rules(e, set, heirs, now_ms);
    for (uint32_t i = 0; i < e->lane_count; i++) {
        tw_lane_rules *before = e->lanes[i]->rules;
        tw_lane_rules_adopt(e->lanes[i], fresh[i], before, parked);
        fresh[i] = before;
    }
    begin_rules(e, fresh);
    e->rules = set;
    tw_engine_expect_keys(e);
    return parked;
}

int tw_engine_switch(tw_engine *e, const tw_switch *to, tw_switch_report *out,
                     tw_err *err)
{
    tw_lane_rules **fresh = tw_calloc(e->lane_count, sizeof(tw_lane_rules *));
    tw_table_view *tables = to->tables;
    tw_ruleset *old = e->rules;
    tw_ruleset *set =
        tw_ruleset_new(to->files, e->options.streams, &e->ground, e->generation + 1, err);
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
    report_gone(set, old, heirs, to);
    if (tables) /* no event is enriched by rules of one reload from tables of another */
        tables = tw_engine_put_tables(e, tables);
    tw_parked **parked = go_over(e, set, fresh, heirs);
    tw_rule_thread_leave();
    if (!was_paused)
        tw_engine_resume(e);
    *out = (tw_switch_report){.generation = ++e->generation,
                              .pause_us = (tw_mono_ns() - start_ns) / 1000};
    count_changes(set, old, heirs, out);
    out->revived = free_parked(e, parked, set->rule_count);
    tw_free(heirs);
    free_all(fresh, e->lane_count);
    tw_ruleset_free(old);
    tw_table_view_unref(tables);
    return TW_OK;

fail:
    free_all(fresh, e->lane_count);
    tw_ruleset_free(set);
    tw_table_view_unref(tables);
    return err->code ? err->code : TW_EINVAL;
}
