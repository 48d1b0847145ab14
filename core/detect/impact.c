// SPDX-License-Identifier: Apache-2.0
/* The impact operator: samples and events in, verdicts in order. One lane's thread; owns the keys and the slab
 * their blocks come from.
 *
 * Samples are kept as long as an event that is not there yet could still ask for them: before, settle and after
 * together behind the newest event of the key. So it makes no difference in which order samples and events
 * arrive, while the verdict has not fallen.
 *
 * Invariant: a key's timer is armed not later than the verdict on its first open event or, when nothing holds it,
 * its forgetting. */
#include "detect/impact.h"

#include <math.h>
#include <string.h>

#include "detect/impact_impl.h"

/* ---- life -------------------------------------------------------------------------- */

static tw_detector *impact_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    impact *d = tw_alloc(sizeof *d);

    (void)err;
    d->base.cls = &tw_impact_class;
    d->rule = tw_rule_ref(rule);
    d->plan = rule->detail;
    d->env = *env;
    d->slab = tw_slab_new();
    d->keys = tw_keyed_new(sizeof(impact_key));
    d->timers = tw_timers_new(d->keys, offsetof(impact_key, timer));
    d->clock_ms = TW_TIME_NONE;
    return &d->base;
}

static void give_key(impact *d, impact_key *k)
{
    impact_entries_give(d, k);
    for (uint32_t i = 0; i < k->open_count; i++) {
        tw_kept_give(&k->open[i], d->slab);
    }
    if (k->open) {
        tw_slab_give(d->slab, k->open, k->open_room * sizeof *k->open);
    }
}

static void impact_free(tw_detector *base)
{
    impact *d = (impact *)base;

    if (!d) {
        return;
    }
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        give_key(d, tw_keyed_at(d->keys, n)); /* large blocks are of the heap */
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    tw_slab_free(d->slab);
    tw_rule_unref(d->rule);
    tw_free(d);
}

static void show_count(impact *d)
{
    if (d->env.keys) {
        tw_gauge_set(d->env.keys, tw_keyed_count(d->keys));
    }
}

uint32_t impact_key_add(impact *d, const tw_key *key, int64_t time_ms)
{
    uint32_t number = tw_keyed_add(d->keys, key);
    impact_key *k = tw_keyed_at(d->keys, number);

    tw_timer_init(&k->timer);
    k->newest_ms = time_ms;
    k->open_until_ms = INT64_MIN;
    show_count(d);
    return number;
}

static void key_remove(impact *d, uint32_t number)
{
    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    give_key(d, tw_keyed_at(d->keys, number));
    tw_keyed_remove(d->keys, number);
    show_count(d);
}

/* ---- the clock acts ---------------------------------------------------------------- */

static int64_t key_next(const impact *d, const impact_key *k)
{
    return k->open_count > 0
               ? impact_due(d, k->open[0].time_ms)
               : impact_later(k->newest_ms + d->rule->forget_ms, k->open_until_ms);
}

void impact_key_arm(impact *d, uint32_t number)
{
    const impact_key *k = tw_keyed_at(d->keys, number);
    int64_t next_ms = key_next(d, k);

    if (next_ms < k->timer.deadline_ms) {
        tw_timers_set(d->timers, number, next_ms);
    }
}

/* Samples that no event, open or to come, can ask for. */
static void forget_samples(const impact *d, impact_key *k)
{
    int64_t until_ms = k->newest_ms - impact_span(d);

    if (k->open_count > 0 && k->open[0].time_ms - d->plan->before_ms < until_ms) {
        until_ms = k->open[0].time_ms - d->plan->before_ms;
    }
    impact_entries_prune(k, until_ms);
}

/* The verdict on the first open event falls, or the key is forgotten (false). */
static bool key_act(impact *d, uint32_t number, int64_t due_ms)
{
    impact_key *k = tw_keyed_at(d->keys, number);
    int64_t at_ms = impact_later(due_ms, d->clock_ms);

    tw_keyed_mark(d->keys, number);
    if (k->open_count == 0) {
        key_remove(d, number);
        return false;
    }
    if (impact_judge(d, number, at_ms)) {
        int64_t until_ms = at_ms + d->rule->incident.resolve_after_ms;
        k->open_until_ms = impact_later(k->open_until_ms, until_ms);
    }
    tw_kept_give(&k->open[0], d->slab);
    k->open_count--;
    memmove(&k->open[0], &k->open[1], k->open_count * sizeof *k->open);
    memset(&k->open[k->open_count], 0, sizeof *k->open);
    forget_samples(d, k);
    return true;
}

static bool act_before(impact *d, uint32_t number, int64_t before_ms)
{
    const impact_key *k = tw_keyed_at(d->keys, number);

    for (int64_t next_ms; (next_ms = key_next(d, k)) < before_ms;) {
        if (!key_act(d, number, next_ms)) {
            return false;
        }
    }
    return true;
}

static void impact_advance(tw_detector *base, int64_t clock_ms)
{
    impact *d = (impact *)base;
    int64_t due_ms;

    for (;;) {
        uint32_t number = tw_timers_pop(d->timers, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            break;
        }
        int64_t next_ms = key_next(d, tw_keyed_at(d->keys, number));
        if (next_ms > due_ms || key_act(d, number, next_ms)) {
            tw_timers_set(d->timers, number, key_next(d, tw_keyed_at(d->keys, number)));
        }
    }
    d->clock_ms = impact_later(d->clock_ms, clock_ms);
}

static int64_t impact_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const impact *)base)->timers);
}

/* ---- events ------------------------------------------------------------------------ */

static void make_place(impact *d, int64_t now_ms)
{
    while (tw_keyed_count(d->keys) > 0 && tw_keyed_count(d->keys) >= d->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(d->keys, offsetof(impact_key, newest_ms));
        const impact_key *k = tw_keyed_at(d->keys, oldest);
        if (k->open_until_ms > now_ms) {
            impact_tell_gone(d, oldest, now_ms, "evicted");
        }
        key_remove(d, oldest);
        if (d->env.evicted) {
            tw_count_own(d->env.evicted, 1);
        }
    }
}

/* The value of a sample; false: it has none. */
static bool read_sample(const impact *d, const tw_event *ev, double *out)
{
    bool has = false;

    if (d->plan->fn == TW_NO_FN) {
        has = tw_value_number(tw_event_slot(ev, d->plan->slot), out);
    } else if (d->env.script->cls->map_event(d->env.script, d->plan->fn, ev, out, &has) <
               0) {
        has = false;
    }
    return has && isfinite(*out);
}

static void open_event(impact *d, impact_key *k, uint32_t input, const tw_event *ev,
                       int64_t time_ms)
{
    uint32_t at = k->open_count;

    impact_open_reserve(d, k, k->open_count + 1);
    for (; at > 0 && k->open[at - 1].time_ms > time_ms; at--) {
        k->open[at] = k->open[at - 1];
    }
    memset(&k->open[at], 0, sizeof *k->open);
    tw_kept_put(&k->open[at], d->slab, d->rule, input, ev, time_ms);
    k->open_count++;
}

/* Its partners or its span are gone. */
static bool is_late(const impact *d, const impact_key *k, bool is_event, int64_t time_ms,
                    int64_t now_ms)
{
    if (is_event) {
        return impact_due(d, time_ms) < now_ms;
    }
    bool is_asked =
        k && k->open_count > 0 && time_ms > k->open[0].time_ms - d->plan->before_ms;
    return time_ms <= now_ms - impact_span(d) && !is_asked;
}

static void count(tw_counter *c)
{
    if (c) {
        tw_count_own(c, 1);
    }
}

static void impact_event(tw_detector *base, const tw_key *key, uint32_t input,
                         const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    impact *d = (impact *)base;
    bool is_event = input == d->plan->event;
    uint32_t number = tw_keyed_find(d->keys, key);
    double value;

    if (!is_event && (input != d->plan->metric || !read_sample(d, ev, &value))) {
        return;
    }
    d->clock_ms = impact_later(d->clock_ms, clock_ms);
    int64_t now_ms = impact_later(time_ms, clock_ms);
    if (number != TW_KEYED_NONE) {
        const impact_key *k = tw_keyed_at(d->keys, number);
        now_ms = impact_later(now_ms, k->newest_ms);
        number = act_before(d, number, now_ms) ? number : TW_KEYED_NONE;
    }
    const impact_key *known =
        number == TW_KEYED_NONE ? NULL : tw_keyed_at(d->keys, number);
    if (is_late(d, known, is_event, time_ms, now_ms)) {
        count(d->env.late);
        return;
    }
    if (!known) {
        make_place(d, now_ms);
        number = impact_key_add(d, key, time_ms);
    }
    impact_key *k = tw_keyed_at(d->keys, number);
    tw_keyed_touch(d->keys, number);
    tw_keyed_mark(d->keys, number);
    k->newest_ms = impact_later(k->newest_ms, time_ms);
    if (!is_event) {
        impact_entry_add(d, k, time_ms, value);
        forget_samples(d, k);
    } else if (k->open_count < MAX_OPEN) {
        open_event(d, k, input, ev, time_ms);
    } else {
        count(d->env.evicted);
    }
    impact_key_arm(d, number);
}

static uint64_t impact_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const impact *)base)->keys);
}

const tw_detector_class tw_impact_class = {
    .name = "impact",
    .new = impact_new,
    .free = impact_free,
    .event = impact_event,
    .advance = impact_advance,
    .next_deadline = impact_next_deadline,
    .fate = impact_fate,
    .adopt = impact_adopt,
    .save = impact_save,
    .load = impact_load,
    .key_count = impact_key_count,
};
