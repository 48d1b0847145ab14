// SPDX-License-Identifier: Apache-2.0
/* The level operator: events in, deadlines in order. One lane's thread; owns the keys and
 * the slab their blocks come from.
 *
 * Time of a key is the later of the rule's clock and its newest event. Before an event is
 * taken, what the key waited for strictly before that time happens, each thing at its own
 * time. At one instant: events, then what leaves the window or ends it with one judgement
 * (or nodata), then holds that end, then what is told, then forgetting.
 *
 * Invariant: a key's timer is armed not later than its earliest deadline. It may be early,
 * since deadlines that only ever move on (forgetting) are not worth moving it at each event;
 * a timer that fires early is armed anew. */
#include "detect/level.h"

#include <string.h>

#include "detect/level_impl.h"

/* ---- life ---- */

static void level_free(tw_detector *base)
{
    level *d = (level *)base;

    if (!d) {
        return;
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    tw_windows_done(&d->windows);
    tw_aggs_done(&d->aggs);
    tw_slab_free(d->slab);
    tw_free(d->names);
    tw_free(d->values);
    tw_free(d->has);
    tw_free(d->tops);
    tw_free(d->node_values);
    tw_free(d->node_has);
    tw_free(d->absent);
    tw_rule_unref(d->rule);
    tw_free(d);
}

static bool has_name(const tw_level_plan *plan, const char *name)
{
    for (uint32_t n = 0; n < plan->value_count; n++) {
        if (strcmp(plan->value_names[n], name) == 0) {
            return true;
        }
    }
    return false;
}

static void make_scratch(level *d)
{
    const tw_level_plan *plan = d->plan;
    uint32_t nodes = 1, fields = d->rule->carried_count + d->rule->carried_first_count;

    for (uint32_t n = 0; n < plan->value_count; n++) {
        nodes = plan->values[n].count > nodes ? plan->values[n].count : nodes;
    }
    d->result_count = plan->value_count + (has_name(plan, "count") ? 0 : 1);
    d->names = tw_calloc(d->result_count, sizeof *d->names);
    d->values = tw_calloc(d->result_count, sizeof *d->values);
    d->has = tw_calloc(d->result_count, sizeof *d->has);
    for (uint32_t n = 0; n < plan->value_count; n++) {
        if (tw_level_list(plan, n) && !d->tops) {
            d->tops = tw_calloc(d->result_count, sizeof *d->tops);
        }
    }
    d->node_values = tw_calloc(nodes, sizeof *d->node_values);
    d->node_has = tw_calloc(nodes, sizeof *d->node_has);
    d->absent = tw_calloc(fields + 1, sizeof *d->absent);
    for (uint32_t n = 0; n < d->result_count; n++) {
        d->names[n] = n < plan->value_count ? plan->value_names[n] : "count";
    }
}

static void read_plan(level *d)
{
    const tw_level_plan *plan = d->plan;

    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        d->used |= plan->levels[lv].used ? 1u << lv : 0;
    }
    d->grid =
        plan->window.kind == TW_WINDOW_HOPPING || plan->window.kind == TW_WINDOW_TUMBLING;
    d->need = plan->min_samples;
    if (plan->window.kind == TW_WINDOW_COUNT) {
        bool lowered = d->need > 0 && d->need < plan->window.last;
        d->need = lowered ? d->need : plan->window.last;
    }
    for (uint32_t n = 0; n < plan->agg_count; n++) {
        d->takes_older = d->takes_older || plan->aggs[n].kind == TW_AGG_LATEST;
    }
    d->measures = d->rule->detector == TW_DETECT_MEASURE;
    d->raise_on_leave = plan->window.kind == TW_WINDOW_SLIDING &&
                        (d->measures || level_departure_raises(d));
    d->quiet_below = level_quiet_below(d);
}

static tw_detector *level_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    level *d = tw_alloc(sizeof *d);

    d->base.cls = &tw_level_class;
    d->rule = tw_rule_ref(rule);
    d->plan = &rule->level;
    d->env = *env;
    d->edited_ms = INT64_MIN;
    d->slab = tw_slab_new();
    if (tw_aggs_init(&d->aggs, rule, err) < 0 ||
        tw_windows_init(&d->windows, rule, &d->aggs, d->slab, err) < 0) {
        level_free(&d->base);
        return NULL;
    }
    read_plan(d);
    make_scratch(d);
    d->layout = level_lay_out(d);
    d->only_forgets =
        !d->grid && !d->layout.session && !d->layout.sample && !d->raise_on_leave;
    d->windows.before_at = d->layout.before - (uint32_t)offsetof(level_key, window);
    d->keys = tw_keyed_new(d->layout.bytes);
    d->timers = tw_timers_new(d->keys, offsetof(level_key, timer));
    return &d->base;
}

/* ---- the clock acts ---- */

/* What leaves or ends at this instant has done so; true: there is something to judge. */
static bool turn_window(level *d, level_key *key, int64_t at_ms)
{
    if (d->grid) {
        int64_t *next_end = level_time(key, d->layout.next_end);
        if (key->flags & KEY_SETTLED || *next_end != at_ms) {
            return false;
        }
        *next_end = tw_windows_end_after(&d->windows, *next_end);
        tw_window_leave(&d->windows, &key->window, at_ms, key->newest_ms,
                        level_grid_origin(d, key));
        return true;
    }
    if (d->layout.session) {
        return level_session_turn(d, key, at_ms);
    }
    bool edited = key->flags & KEY_EDITED && at_ms >= d->edited_ms;
    if (edited) {
        key->flags &= (uint8_t)~KEY_EDITED;
    } else if (tw_window_next_leave(&d->windows, &key->window, key->newest_ms) > at_ms) {
        return false;
    }
    tw_window_leave(&d->windows, &key->window, at_ms, key->newest_ms, 0);
    return d->plan->at_input < 0;
}

/* Everything due to a key at one instant. False: the key is gone. */
static bool act_at(level *d, uint32_t number, int64_t at_ms)
{
    level_key *key = tw_keyed_at(d->keys, number);
    bool nodata = level_is_nodata(d, key, at_ms);
    bool turned = turn_window(d, key, at_ms);
    const char *reason = NULL;

    d->fresh = false;
    tw_keyed_mark(d->keys, number);
    if (nodata) {
        reason = "nodata";
        if (!(key->flags & KEY_NODATA_DONE)) {
            level_nodata(d, key);
        }
    } else if (turned) {
        level_judge(d, key, at_ms, at_ms);
    }
    if (turned && d->grid && tw_window_empty(&key->window) && (nodata || d->fresh) &&
        !d->measures) {
        key->flags |= KEY_SETTLED; /* more of the same changes nothing */
    }
    level_fire_holds(d, key, at_ms);
    level_tell(d, number, at_ms, reason);
    if (level_at_rest(key) && !level_session_runs(d, key) &&
        key->newest_ms + d->rule->forget_ms <= at_ms) {
        level_key_remove(d, number);
        return false;
    }
    return true;
}

/* All a key waited for before a time. False: the key is gone. */
static bool act_before(level *d, uint32_t number, int64_t before_ms)
{
    level_key *key = tw_keyed_at(d->keys, number);

    for (;;) {
        int64_t at_ms = level_next(d, key);
        if (at_ms >= before_ms) {
            return true;
        }
        if (!act_at(d, number, at_ms)) {
            return false;
        }
    }
}

static void level_advance(tw_detector *base, int64_t clock_ms)
{
    level *d = (level *)base;
    int64_t due_ms;

    for (;;) {
        uint32_t number = tw_timers_pop(d->timers, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            return;
        }
        level_key *key = tw_keyed_at(d->keys, number);
        int64_t next_ms = level_next(d, key);
        if (next_ms <= due_ms && !act_at(d, number, next_ms)) {
            continue;
        }
        tw_timers_set(d->timers, number, level_next(d, key));
    }
}

static int64_t level_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const level *)base)->timers);
}

/* ---- events ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* It can change nothing any more at now_ms. key NULL: the first event of a key. */
static bool is_late(const level *d, level_key *key, int64_t time_ms, int64_t now_ms)
{
    int64_t origin_ms = 0;

    switch (d->windows.kind) {
    case TW_WINDOW_SLIDING:
        return time_ms <= now_ms - d->windows.over_ms;
    case TW_WINDOW_HOPPING:
    case TW_WINDOW_TUMBLING:
        if (d->plan->window.align_first) {
            origin_ms = key ? *level_time(key, d->layout.first) : time_ms;
        }
        return tw_windows_last_end(&d->windows, origin_ms, time_ms) < now_ms;
    case TW_WINDOW_NONE:
        return key && time_ms < key->newest_ms && !d->takes_older;
    case TW_WINDOW_SESSION:
        return level_session_is_late(d, key, time_ms, now_ms);
    case TW_WINDOW_COUNT:
        break;
    }
    return false;
}

static void make_place(level *d, int64_t now_ms)
{
    while (tw_keyed_count(d->keys) > 0 && tw_keyed_count(d->keys) >= d->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(d->keys, offsetof(level_key, newest_ms));
        level_tell_gone(d, oldest, now_ms, "evicted");
        level_key_remove(d, oldest);
        if (d->env.evicted) {
            tw_count_own(d->env.evicted, 1);
        }
    }
}

/* A sample of this input is in a count window. True: it completes a block, or each does. */
static bool count_sample(level *d, level_key *key)
{
    uint64_t seen = ++*(uint64_t *)level_part(key, d->layout.seen);
    uint32_t every = d->plan->window.count_every;

    return every < 2 || seen % every == 0;
}

/* Whether an event of this input is one to judge at. */
static bool judged_at(const level *d, const level_key *key, uint32_t input)
{
    if (d->grid || d->layout.session ||
        (d->plan->at_input >= 0 && (uint32_t)d->plan->at_input != input)) {
        return false;
    }
    return !d->layout.seen || key->window.count >= d->need;
}

/* The event is in the key's window, and remembered. True: it asks for a judgement. */
static bool take_event(level *d, level_key *key, uint32_t input, const tw_event *ev,
                       int64_t time_ms, int64_t now_ms)
{
    int64_t origin_ms = d->grid ? level_grid_origin(d, key) : 0;
    bool newest = time_ms >= key->newest_ms;
    bool complete = !d->layout.seen || d->plan->window.count_every < 2;
    tw_sample sample;

    tw_aggs_sample(&d->aggs, d->env.script, input, ev, &sample);
    if (!d->grid) {
        tw_window_leave(&d->windows, &key->window, now_ms, key->newest_ms, 0);
    } else if (key->flags & KEY_SETTLED) {
        key->flags &= (uint8_t)~KEY_SETTLED;
        *level_time(key, d->layout.next_end) =
            tw_windows_end_from(&d->windows, origin_ms, now_ms);
    }
    key->newest_ms = later(key->newest_ms, time_ms);
    if (newest) {
        level_key_remember(d, key, input, ev);
    }
    if (d->layout.session ? level_session_take(d, key, time_ms)
                          : tw_window_empty(&key->window)) {
        level_key_remember_first(d, key, input, ev);
    }
    if (sample.taken != 0 || (d->layout.seen && d->aggs.inputs[input].reads != 0)) {
        tw_window_add(&d->windows, &key->window, &sample, time_ms, key->newest_ms,
                      origin_ms);
        if (d->layout.seen) {
            complete = count_sample(d, key);
        }
        if (d->layout.sample && time_ms >= *level_time(key, d->layout.sample)) {
            *level_time(key, d->layout.sample) = time_ms;
            key->flags &= (uint8_t)~KEY_NODATA_DONE;
        }
    }
    return complete && judged_at(d, key, input);
}

/* A judgement would find that no level begins, and none has begun. */
static bool stays_quiet(const level *d, const level_key *key)
{
    return !key->open &&
           (double)tw_window_entries(&d->windows, &key->window) < d->quiet_below;
}

static void level_event(tw_detector *base, const tw_key *key, uint32_t input,
                        const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    level *d = (level *)base;
    uint32_t number = tw_keyed_find(d->keys, key);
    level_key *k = number != TW_KEYED_NONE ? tw_keyed_at(d->keys, number) : NULL;
    if (k) {
        tw_window_hint(&d->windows, &k->window);
    }
    /* Nor is it before the last edit: what came due by then has been judged. */
    int64_t now_ms =
        later(later(later(clock_ms, time_ms), k ? k->newest_ms : time_ms), d->edited_ms);

    /* Which session an event belongs to is known once those that are over have ended. */
    if (d->layout.session && k && !act_before(d, number, now_ms)) {
        k = NULL;
    }
    if (is_late(d, k, time_ms, now_ms)) {
        if (d->env.late) {
            tw_count_own(d->env.late, 1);
        }
        return;
    }
    if (k && k->timer.deadline_ms < now_ms && !act_before(d, number, now_ms)) {
        k = NULL;
    }
    if (!k) {
        make_place(d, now_ms);
        number = level_key_add(d, key, time_ms, now_ms);
        k = tw_keyed_at(d->keys, number);
    }
    tw_keyed_touch(d->keys, number);
    tw_keyed_mark(d->keys, number);
    d->fresh = false;
    d->ev = ev;
    bool judged = take_event(d, k, input, ev, time_ms, now_ms);
    const char *reason = NULL;
    if (!level_is_nodata(d, k, now_ms)) {
        if (judged && !stays_quiet(d, k)) {
            level_judge(d, k, now_ms, k->newest_ms);
        }
    } else if (level_is_nodata(d, k, now_ms - 1) && !(k->flags & KEY_NODATA_DONE)) {
        reason = "nodata"; /* a new key whose first sample is that old */
        level_nodata(d, k);
    }
    if (k->open || d->measures) {
        level_tell(d, number, now_ms, reason);
    }
    d->ev = NULL;
    level_key_arm(d, number, k);
}

static void level_hint(tw_detector *base, const tw_key *key, uint32_t step)
{
    level *d = (level *)base;
    uint32_t number;

    if (step == 0) {
        tw_keyed_prefetch(d->keys, key->hash);
    } else if (step == 1) {
        tw_keyed_prefetch_entry(d->keys, key->hash);
    } else if ((number = tw_keyed_guess(d->keys, key->hash)) != TW_KEYED_NONE) {
        level_key *k = tw_keyed_at(d->keys, number);
        tw_window_hint(&d->windows, &k->window);
    }
}

static uint64_t level_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const level *)base)->keys);
}

const tw_detector_class tw_level_class = {
    .name = "level",
    .new = level_new,
    .free = level_free,
    .event = level_event,
    .hint = level_hint,
    .advance = level_advance,
    .next_deadline = level_next_deadline,
    .fate = level_fate,
    .adopt = level_adopt,
    .save = level_save,
    .load = level_load,
    .key_count = level_key_count,
    .count_due = level_count_due,
};
