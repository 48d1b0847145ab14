// SPDX-License-Identifier: Apache-2.0
/* The change operator: events in, deadlines in order. One lane's thread; owns the keys and the slab
 * their blocks come from.
 *
 * A value counts once it has stayed for `hold`; one that did not stay so long never was, so going back
 * is no change. What leaves `to` ends at once what was told, and counts at once.
 *
 * Invariant: a key's timer is armed not later than the end of its earliest hold and, when nothing holds
 * it, its forgetting. */
#include "detect/change.h"

#include "detect/change_impl.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static change_key *key_at(const change *d, uint32_t number)
{
    return tw_keyed_at(d->keys, number);
}

/* ---- life -------------------------------------------------------------------------- */

static tw_detector *change_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    change *d = tw_alloc(sizeof *d);
    const tw_change_plan *plan = rule->detail;

    (void)err;
    d->base.cls = &tw_change_class;
    d->rule = tw_rule_ref(rule);
    d->plan = plan;
    d->env = *env;
    d->slab = tw_slab_new();
    d->keys = tw_keyed_new(change_entry_bytes(d));
    d->timers = tw_timers_new(d->keys, offsetof(change_key, timer));
    d->clock_ms = TW_TIME_NONE;
    d->slots = tw_calloc(plan->side_slot + 1, sizeof *d->slots);
    return &d->base;
}

static void change_free(tw_detector *base)
{
    change *d = (change *)base;

    if (!d) {
        return;
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    tw_slab_free(d->slab);
    tw_free(d->slots);
    tw_rule_unref(d->rule);
    tw_free(d);
}

void change_show_count(change *d)
{
    if (d->env.keys) {
        tw_gauge_set(d->env.keys, tw_keyed_count(d->keys));
    }
}

uint32_t change_key_add(change *d, const tw_key *key, int64_t time_ms)
{
    uint32_t number = tw_keyed_add(d->keys, key);
    change_key *k = key_at(d, number);

    tw_timer_init(&k->timer);
    k->newest_ms = time_ms;
    k->open_until_ms = INT64_MIN;
    for (uint32_t n = 0; n < d->plan->count && d->plan->has_initial; n++) {
        k->fields[n].counted = tw_carried_put_values(d->slab, NULL, &d->plan->initial, 1);
    }
    change_show_count(d);
    return number;
}

void change_key_remove(change *d, uint32_t number)
{
    change_key *k = key_at(d, number);

    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    tw_kept_give(&k->newest, d->slab);
    for (uint32_t n = 0; n < d->plan->count; n++) {
        tw_carried_give(d->slab, k->fields[n].counted);
        tw_carried_give(d->slab, k->fields[n].next);
        tw_kept_give(&k->fields[n].made, d->slab);
    }
    tw_keyed_remove(d->keys, number);
    change_show_count(d);
}

/* ---- a field ----------------------------------------------------------------------- */

/* `v` has stayed long enough. */
static void count_value(change *d, uint32_t number, change_field *f, tw_carried *v,
                        int64_t at_ms)
{
    change_key *k = key_at(d, number);
    tw_carried *was = f->counted;

    f->counted = v;
    if (was && change_is_asked_for(d, was->values[0], v->values[0])) {
        tw_signal_kind kind = d->plan->to ? TW_SIGNAL_LEVEL : TW_SIGNAL_OCCURRENCE;
        if (kind == TW_SIGNAL_OCCURRENCE || !k->told) {
            change_tell(d, number, f, kind, d->rule->incident.severity, was->values[0],
                        v->values[0], at_ms, NULL);
        }
        f->open = k->told = d->plan->to != NULL;
        if (!d->plan->to) {
            k->open_until_ms =
                later(k->open_until_ms, at_ms + d->rule->incident.resolve_after_ms);
        }
    }
    tw_carried_give(d->slab, was);
}

/* The field has left `to`. */
static void end_open(change *d, uint32_t number, change_field *f, tw_carried *v,
                     int64_t at_ms)
{
    change_key *k = key_at(d, number);
    tw_carried *was = f->counted;

    f->open = false;
    f->counted = v;
    tw_kept_give(&f->made, d->slab);
    if (!change_any_open(d, k)) {
        change_tell(d, number, f, TW_SIGNAL_LEVEL, TW_LEVEL_OK, was->values[0],
                    v->values[0], at_ms, NULL);
        k->told = false;
    }
    tw_carried_give(d->slab, was);
}

static void drop_next(change *d, change_field *f)
{
    tw_carried_give(d->slab, f->next);
    f->next = NULL;
    tw_kept_give(&f->made, d->slab);
}

/* Another value than the counted one begins to wait, or goes on when it only moves within `to`. */
static void let_wait(change *d, change_key *k, change_field *f, tw_carried *v)
{
    bool goes_on = f->next && (tw_value_equal(f->next->values[0], v->values[0]) ||
                               (d->plan->to && change_waits(d, f) &&
                                change_side_holds(d, d->plan->to, v->values[0])));

    if (!goes_on) {
        drop_next(d, f);
        f->since_ms = k->newest.time_ms;
        tw_kept_copy(&f->made, d->slab, &k->newest);
    }
    tw_carried_give(d->slab, f->next);
    f->next = v;
}

static void end_wait(change *d, uint32_t number, change_field *f, int64_t at_ms)
{
    tw_carried *v = f->next;

    f->next = NULL;
    count_value(d, number, f, v, at_ms);
    if (!f->open) {
        tw_kept_give(&f->made, d->slab);
    }
}

/* What an event says of a field. Takes v. */
static void take_value(change *d, uint32_t number, change_field *f, tw_carried *v,
                       int64_t at_ms)
{
    change_key *k = key_at(d, number);

    if (f->counted && tw_value_equal(f->counted->values[0], v->values[0])) {
        tw_carried_give(d->slab, v);
        if (f->next) {
            drop_next(d, f);
        }
    } else if (f->open && !change_side_holds(d, d->plan->to, v->values[0])) {
        end_open(d, number, f, v, at_ms);
    } else if (f->open || !f->counted) {
        tw_carried_give(d->slab, f->counted);
        f->counted = v;
    } else if (d->plan->hold_ms == 0) {
        drop_next(d, f); /* of a version with a hold */
        count_value(d, number, f, v, at_ms);
    } else {
        let_wait(d, k, f, v);
        /* Exactly at the end of its hold an event may still come and end it: the clock acts. */
        if (f->since_ms + d->plan->hold_ms < at_ms) {
            end_wait(d, number, f, at_ms);
        }
    }
}

static void take_event(change *d, uint32_t number, uint32_t input, const tw_event *ev,
                       int64_t at_ms)
{
    for (uint32_t n = 0; n < d->plan->count; n++) {
        change_field *f = &key_at(d, number)->fields[n];
        tw_value v = tw_event_slot(ev, d->plan->slots[input][n]);
        bool plain = v.type < TW_STRING || v.len <= TW_MAX_CARRIED_TEXT;
        if (v.type == TW_ABSENT || (plain && f->counted && !f->next &&
                                    tw_value_equal(v, f->counted->values[0]))) {
            continue;
        }
        tw_carried *c = tw_carried_put_values(d->slab, NULL, &v, 1);
        if (c->values[0].type == TW_ABSENT) { /* too long to be kept */
            tw_carried_give(d->slab, c);
        } else {
            take_value(d, number, f, c, at_ms);
        }
    }
    change_tell_pending(d, number, at_ms);
}

/* ---- the clock acts ---------------------------------------------------------------- */

int64_t change_next(const change *d, const change_key *k)
{
    int64_t next_ms = INT64_MAX;

    for (uint32_t n = 0; n < d->plan->count; n++) {
        const change_field *f = &k->fields[n];
        if (f->next && f->since_ms + d->plan->hold_ms < next_ms) {
            next_ms = f->since_ms + d->plan->hold_ms;
        }
    }
    if (next_ms < INT64_MAX || k->told) {
        return next_ms;
    }
    return later(k->newest_ms + d->rule->forget_ms, k->open_until_ms);
}

/* What is due to a key first: holds that are over, or that it is forgotten (false). */
static bool act(change *d, uint32_t number)
{
    change_key *k = key_at(d, number);
    int64_t due_ms = change_next(d, k), at_ms = later(due_ms, d->clock_ms);
    bool any = false;

    d->seq = 0;
    tw_keyed_mark(d->keys, number);
    for (uint32_t n = 0; n < d->plan->count; n++) {
        change_field *f = &k->fields[n];
        if (f->next && f->since_ms + d->plan->hold_ms <= due_ms) {
            end_wait(d, number, f, at_ms);
            any = true;
        }
    }
    if (!any) {
        change_key_remove(d, number);
        return false;
    }
    change_tell_pending(d, number, at_ms);
    return true;
}

static bool act_before(change *d, uint32_t number, int64_t before_ms)
{
    while (change_next(d, key_at(d, number)) < before_ms) {
        if (!act(d, number)) {
            return false;
        }
    }
    return true;
}

static void change_advance(tw_detector *base, int64_t clock_ms)
{
    change *d = (change *)base;
    int64_t due_ms;
    uint32_t number;

    while ((number = tw_timers_pop(d->timers, clock_ms, &due_ms)) != TW_KEYED_NONE) {
        if (change_next(d, key_at(d, number)) <= due_ms && !act(d, number)) {
            continue;
        }
        tw_timers_set(d->timers, number, change_next(d, key_at(d, number)));
    }
    d->clock_ms = later(d->clock_ms, clock_ms);
}

static int64_t change_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const change *)base)->timers);
}

/* ---- events ------------------------------------------------------------------------ */

static void make_place(change *d, int64_t now_ms)
{
    while (tw_keyed_count(d->keys) > 0 && tw_keyed_count(d->keys) >= d->rule->max_keys) {
        uint32_t oldest = tw_keyed_oldest(d->keys, offsetof(change_key, newest_ms));
        d->seq = 0;
        change_tell_gone(d, oldest, now_ms, "evicted");
        change_key_remove(d, oldest);
        if (d->env.evicted) {
            tw_count_own(d->env.evicted, 1);
        }
    }
}

static void change_event(tw_detector *base, const tw_key *key, uint32_t input,
                         const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    change *d = (change *)base;
    int64_t now_ms = later(time_ms, clock_ms);

    d->clock_ms = later(d->clock_ms, clock_ms);
    if (!d->plan->slots[input]) {
        return;
    }
    uint32_t number = tw_keyed_find(d->keys, key);
    if (number != TW_KEYED_NONE && time_ms < key_at(d, number)->newest_ms) {
        if (d->env.late) {
            tw_count_own(d->env.late, 1);
        }
        return;
    }
    if (number == TW_KEYED_NONE || !act_before(d, number, now_ms)) {
        make_place(d, now_ms);
        number = change_key_add(d, key, time_ms);
    }
    change_key *k = key_at(d, number);
    tw_keyed_touch(d->keys, number);
    tw_keyed_mark(d->keys, number);
    k->newest_ms = time_ms;
    tw_kept_put(&k->newest, d->slab, d->rule, input, ev, time_ms);
    d->seq = ev->seq;
    take_event(d, number, input, ev, now_ms);
    if (change_next(d, k) < k->timer.deadline_ms) {
        tw_timers_set(d->timers, number, change_next(d, k));
    }
}

static uint64_t change_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const change *)base)->keys);
}

const tw_detector_class tw_change_class = {
    .name = "change",
    .new = change_new,
    .free = change_free,
    .event = change_event,
    .advance = change_advance,
    .next_deadline = change_next_deadline,
    .fate = change_fate,
    .adopt = change_adopt,
    .save = change_save,
    .load = change_load,
    .key_count = change_key_count,
    .count_due = change_count_due,
};
