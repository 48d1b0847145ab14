// SPDX-License-Identifier: Apache-2.0
/* The together operator: which events wait how long. One lane's thread; owns the keys and the slab that
 * what waits lies in.
 *
 * Time is the rule's clock alone, as in a join: the kinds may come from streams that are read at
 * different speeds. An event waits until the clock has passed time + within; one that comes out of order
 * meets what still waits, and is late when nothing that it could meet does.
 *
 * Invariant: a key's timer is armed not later than the time at which all of one kind has waited long
 * enough. */
#include "detect/together.h"

#include "detect/occurrence.h"
#include "detect/together_impl.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- life ---- */

static tw_detector *together_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    together *t = tw_alloc(sizeof *t);

    (void)err;
    t->base.cls = &tw_together_class;
    t->rule = tw_rule_ref(rule);
    t->plan = tw_rule_together(rule);
    t->env = *env;
    t->slab = tw_slab_new();
    t->keys = tw_keyed_new(
        (uint32_t)(sizeof(together_key) + t->plan->count * sizeof(tw_kept_ring)));
    t->wheel = tw_timers_new(t->keys, offsetof(together_key, timer));
    t->clock_ms = TW_TIME_NONE;
    return &t->base;
}

static void together_free(tw_detector *base)
{
    together *t = (together *)base;

    if (!t) {
        return;
    }
    tw_timers_free(t->wheel);
    tw_keyed_free(t->keys);
    tw_slab_free(t->slab);
    tw_rule_unref(t->rule);
    tw_free(t);
}

static void show_count(together *t)
{
    if (t->env.keys) {
        tw_gauge_set(t->env.keys, tw_keyed_count(t->keys));
    }
}

static void give_front(together *t, tw_kept_ring *kind, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        tw_kept_give(&tw_kept_ring_at(kind, n)->kept, t->slab);
    }
    tw_kept_ring_cut(kind, t->slab, 0, count);
}

uint32_t together_key_add(together *t, const tw_key *key, int64_t newest_ms)
{
    uint32_t number = tw_keyed_add(t->keys, key);
    together_key *k = together_key_at(t, number);

    tw_timer_init(&k->timer);
    k->newest_ms = newest_ms;
    k->open_until_ms = INT64_MIN;
    show_count(t);
    return number;
}

static void key_remove(together *t, uint32_t number)
{
    together_key *k = together_key_at(t, number);

    tw_timers_set(t->wheel, number, TW_TIMER_OFF);
    for (uint32_t n = 0; n < t->plan->count; n++) {
        give_front(t, &k->kinds[n], k->kinds[n].count);
    }
    tw_keyed_remove(t->keys, number);
    show_count(t);
}

/* ---- the clock ---- */

void together_key_settle(together *t, uint32_t number)
{
    together_key *k = together_key_at(t, number);
    int64_t next_ms = INT64_MAX;

    for (uint32_t n = 0; n < t->plan->count; n++) {
        const tw_kept_ring *kind = &k->kinds[n];
        if (kind->count == 0) {
            continue;
        }
        int64_t newest_ms = tw_kept_ring_at(kind, kind->count - 1)->kept.time_ms;
        if (newest_ms + t->plan->within_ms < next_ms) {
            next_ms = newest_ms + t->plan->within_ms;
        }
    }
    bool waits = next_ms < INT64_MAX;
    next_ms = waits ? next_ms : k->open_until_ms;
    if (!waits && next_ms < later(t->clock_ms, INT64_MIN + 1)) {
        key_remove(t, number);
    } else if (next_ms < k->timer.deadline_ms) {
        tw_timers_set(t->wheel, number, next_ms);
    }
}

static void trim(together *t, together_key *k, int64_t clock_ms)
{
    for (uint32_t n = 0; n < t->plan->count && clock_ms != TW_TIME_NONE; n++) {
        tw_kept_ring *kind = &k->kinds[n];
        if (kind->count > 0) {
            give_front(t, kind, tw_kept_ring_from(kind, clock_ms - t->plan->within_ms));
        }
    }
}

static void together_advance(tw_detector *base, int64_t clock_ms)
{
    together *t = (together *)base;
    uint32_t number;
    int64_t due_ms;

    t->clock_ms = later(t->clock_ms, clock_ms);
    while ((number = tw_timers_pop(t->wheel, clock_ms, &due_ms)) != TW_KEYED_NONE) {
        trim(t, together_key_at(t, number), clock_ms);
        tw_keyed_mark(t->keys, number);
        together_key_settle(t, number);
    }
}

static int64_t together_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const together *)base)->wheel);
}

/* ---- events ---- */

static void make_place(together *t, int64_t now_ms)
{
    while (tw_keyed_count(t->keys) > 0 && tw_keyed_count(t->keys) >= t->rule->max_keys) {
        uint32_t number = tw_keyed_oldest(t->keys, offsetof(together_key, newest_ms));
        if (together_key_at(t, number)->open_until_ms > now_ms) {
            tw_occurrence gone = {.kind = TW_SIGNAL_RESOLVE,
                                  .key = tw_keyed_key(t->keys, number),
                                  .at_ms = now_ms,
                                  .start_ms = TW_TIME_NONE,
                                  .stop_ms = TW_TIME_NONE,
                                  .reason = "evicted"};
            tw_occurrence_tell(t->rule, &t->env, &gone);
        }
        key_remove(t, number);
        if (t->env.evicted) {
            tw_count_own(t->env.evicted, 1);
        }
    }
}

/* False: its kind is full of younger ones, and it is the oldest that goes. */
static bool put(together *t, tw_kept_ring *kind, uint32_t input, const tw_event *ev,
                int64_t time_ms)
{
    tw_kept_item item = {.more = NULL};

    if (kind->count >= t->plan->max) {
        if (t->env.dropped) {
            tw_count_own(t->env.dropped, 1);
        }
        if (time_ms < tw_kept_ring_at(kind, 0)->kept.time_ms) {
            return false;
        }
        give_front(t, kind, kind->count - t->plan->max + 1);
    }
    tw_kept_put(&item.kept, t->slab, t->rule, input, ev, time_ms);
    tw_kept_ring_add(kind, t->slab, &item);
    return true;
}

static bool is_late(const together *t, int64_t time_ms)
{
    return t->clock_ms != TW_TIME_NONE && time_ms < t->clock_ms - 2 * t->plan->within_ms;
}

static void together_event(tw_detector *base, const tw_key *key, uint32_t input,
                           const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    together *t = (together *)base;

    t->clock_ms = later(t->clock_ms, clock_ms);
    if (input >=
        t->plan->count) { /* the listed inputs are the first ones, in their order */
        return;
    }
    if (is_late(t, time_ms)) {
        tw_count_own(t->env.late, 1);
        return;
    }
    uint32_t number = tw_keyed_find(t->keys, key);
    if (number == TW_KEYED_NONE) {
        make_place(t, later(time_ms, t->clock_ms));
        number = together_key_add(t, key, time_ms);
    }
    together_key *k = together_key_at(t, number);
    k->newest_ms = later(k->newest_ms, time_ms);
    tw_keyed_touch(t->keys, number);
    tw_keyed_mark(t->keys, number);
    trim(t, k, t->clock_ms);
    if (put(t, &k->kinds[input], input, ev, time_ms)) {
        together_complete(t, number, time_ms, ev->seq);
    }
    trim(t, k, t->clock_ms); /* it may have come too late to wait itself */
    together_key_settle(t, number);
}

static uint64_t together_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const together *)base)->keys);
}

const tw_detector_class tw_together_class = {
    .name = "together",
    .new = together_new,
    .free = together_free,
    .event = together_event,
    .advance = together_advance,
    .next_deadline = together_next_deadline,
    .fate = together_fate,
    .adopt = together_adopt,
    .save = together_save,
    .load = together_load,
    .key_count = together_key_count,
};
