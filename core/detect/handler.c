// SPDX-License-Identifier: Apache-2.0
/* The handler operator: which call happens when. One lane's thread; owns the keys and the
 * slab their blocks come from.
 *
 * A key is forgotten after the rule's `forget` without events, but not while a timer of it
 * is set or something it fired is open. Events are never late: a handler sees each one, with
 * its own time as `now`. A timer set into the past fires at the next step of the clock.
 *
 * Invariant: a key's wheel timer is armed not later than its earliest named timer and, when
 * nothing holds it, its forgetting. */
#include "detect/handler.h"

#include <string.h>

#include "detect/handler_impl.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- life ---- */

static tw_detector *handler_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    handler *h = tw_alloc(sizeof *h);

    (void)err;
    h->base.cls = &tw_handler_class;
    h->host.cls = &handler_host_class;
    h->rule = tw_rule_ref(rule);
    h->env = *env;
    h->slab = tw_slab_new();
    h->keys = tw_keyed_new(sizeof(handler_key));
    h->wheel = tw_timers_new(h->keys, offsetof(handler_key, timer));
    h->absent =
        tw_calloc(rule->carried_count + rule->carried_first_count + 1, sizeof *h->absent);
    h->clock_ms = TW_TIME_NONE;
    return &h->base;
}

static void handler_free(tw_detector *base)
{
    handler *h = (handler *)base;

    if (!h) {
        return;
    }
    tw_timers_free(h->wheel);
    tw_keyed_free(h->keys);
    tw_slab_free(h->slab);
    tw_free(h->absent);
    tw_rule_unref(h->rule);
    tw_free(h);
}

static void show_count(handler *h)
{
    if (h->env.keys) {
        tw_gauge_set(h->env.keys, tw_keyed_count(h->keys));
    }
}

void handler_key_add(handler *h, const tw_key *key, int64_t time_ms)
{
    h->number = tw_keyed_add(h->keys, key);
    handler_key *k = handler_current(h);
    tw_timer_init(&k->timer);
    k->newest_ms = time_ms;
    k->open_until_ms = INT64_MIN;
    k->origin.partition = -1;
    show_count(h);
}

static void key_remove(handler *h, uint32_t number)
{
    handler_key *k = tw_keyed_at(h->keys, number);

    tw_timers_set(h->wheel, number, TW_TIMER_OFF);
    handler_items_give(h, &k->values);
    handler_items_give(h, &k->timers);
    tw_carried_give(h->slab, k->carried);
    tw_carried_give(h->slab, k->carried_first);
    tw_keyed_remove(h->keys, number);
    show_count(h);
}

/* ---- telling ---- */

void handler_signal(handler *h, tw_signal_kind kind, tw_level lv, json_t *options,
                    const char *reason)
{
    handler_key *k = handler_current(h);
    tw_signal s = {.rule = h->rule,
                   .kind = kind,
                   .level = lv,
                   .at_ms = h->at_ms,
                   .seq = h->ev ? h->ev->seq : 0,
                   .key = tw_keyed_key(h->keys, h->number),
                   .newest = k->origin,
                   .newest_ms = k->newest_ms,
                   .start_ms = TW_TIME_NONE,
                   .stop_ms = TW_TIME_NONE,
                   .reason = reason,
                   .fire = options};

    if (h->ev) {
        s.newest = tw_event_origin(h->ev);
        s.newest_ms = h->at_ms;
    }
    if (h->rule->carried_count > 0) {
        s.fields = k->carried ? k->carried->values : h->absent;
    }
    if (h->rule->carried_first_count > 0) {
        s.first_fields = k->carried_first ? k->carried_first->values : h->absent;
    }
    h->env.out.signal(h->env.out.self, &s);
}

/* ---- the clock acts ---- */

int64_t handler_key_next(const handler *h, const handler_key *k)
{
    if (k->timers) {
        return k->timers->at_ms;
    }
    int64_t forget_ms = k->newest_ms + h->rule->forget_ms;
    return later(forget_ms, k->open_until_ms);
}

/* A named timer fires, or the key is forgotten (false). */
static bool key_act(handler *h, uint32_t number)
{
    handler_key *k = tw_keyed_at(h->keys, number);

    if (!k->timers) {
        key_remove(h, number);
        return false;
    }
    handler_item *timer = handler_timer_take(k);
    tw_keyed_mark(h->keys, number);
    h->number = number;
    h->ev = NULL;
    h->now_ms = timer->at_ms;
    h->at_ms = later(timer->at_ms, h->clock_ms);
    if (h->rule->handler.timer_fn != TW_NO_FN) {
        h->env.script->cls->handle_timer(h->env.script, h->rule->handler.timer_fn,
                                         timer->name, &h->host);
    }
    handler_item_give(h, timer);
    return true;
}

static bool act_before(handler *h, uint32_t number, int64_t before_ms)
{
    handler_key *k = tw_keyed_at(h->keys, number);

    h->until_ms = before_ms;
    while (handler_key_next(h, k) < before_ms) {
        if (!key_act(h, number)) {
            return false;
        }
    }
    return true;
}

static void handler_advance(tw_detector *base, int64_t clock_ms)
{
    handler *h = (handler *)base;
    int64_t due_ms;

    h->until_ms = clock_ms;
    for (;;) {
        uint32_t number = tw_timers_pop(h->wheel, clock_ms, &due_ms);
        if (number == TW_KEYED_NONE) {
            break;
        }
        handler_key *k = tw_keyed_at(h->keys, number);
        if (handler_key_next(h, k) <= due_ms && !key_act(h, number)) {
            continue;
        }
        tw_timers_set(h->wheel, number, handler_key_next(h, k));
    }
    h->clock_ms = later(h->clock_ms, clock_ms);
}

static int64_t handler_next_deadline(const tw_detector *base)
{
    return tw_timers_next(((const handler *)base)->wheel);
}

/* ---- events ---- */

static void make_place(handler *h, int64_t now_ms)
{
    while (tw_keyed_count(h->keys) > 0 && tw_keyed_count(h->keys) >= h->rule->max_keys) {
        h->number = tw_keyed_oldest(h->keys, offsetof(handler_key, newest_ms));
        h->ev = NULL;
        h->at_ms = now_ms;
        if (handler_current(h)->open_until_ms > now_ms) {
            handler_signal(h, TW_SIGNAL_RESOLVE, TW_LEVEL_OK, NULL, "evicted");
        }
        key_remove(h, h->number);
        if (h->env.evicted) {
            tw_count_own(h->env.evicted, 1);
        }
    }
}

static void remember(handler *h, handler_key *k, uint32_t input, const tw_event *ev)
{
    const tw_rule *r = h->rule;

    k->origin = tw_event_origin(ev);
    if (r->carried_count > 0) {
        k->carried = tw_carried_put(h->slab, k->carried, ev,
                                    r->carried_slots + (size_t)input * r->carried_count,
                                    r->carried_count);
    }
    if (r->carried_first_count > 0 && !k->carried_first) {
        k->carried_first = tw_carried_put(h->slab, NULL, ev,
                                          r->carried_first_slots +
                                              (size_t)input * r->carried_first_count,
                                          r->carried_first_count);
    }
}

static void handler_event(tw_detector *base, const tw_key *key, uint32_t input,
                          const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    handler *h = (handler *)base;
    uint32_t number = tw_keyed_find(h->keys, key);
    bool known = number != TW_KEYED_NONE;
    int64_t now_ms = later(time_ms, clock_ms);

    h->clock_ms = later(h->clock_ms, clock_ms);
    if (known) {
        handler_key *k = tw_keyed_at(h->keys, number);
        now_ms = later(now_ms, k->newest_ms);
        known = k->timer.deadline_ms >= now_ms || act_before(h, number, now_ms);
    }
    h->number = number;
    if (!known) {
        make_place(h, now_ms);
        handler_key_add(h, key, time_ms);
    }
    handler_key *k = handler_current(h);
    tw_keyed_touch(h->keys, h->number);
    tw_keyed_mark(h->keys, h->number);
    if (time_ms >= k->newest_ms) {
        remember(h, k, input, ev);
        k->newest_ms = time_ms;
    }
    h->ev = ev;
    h->now_ms = time_ms;
    h->at_ms = now_ms;
    h->env.script->cls->handle_event(h->env.script, h->rule->handler.event_fn, ev,
                                     h->rule->inputs[input].name, &h->host);
    h->ev = NULL;
    if (handler_key_next(h, k) < k->timer.deadline_ms) {
        tw_timers_set(h->wheel, h->number, handler_key_next(h, k));
    }
}

/* ---- reload ---- */

static bool same_names(char **a, uint32_t a_count, char **b, uint32_t b_count)
{
    bool same = a_count == b_count;

    for (uint32_t n = 0; same && n < a_count; n++) {
        same = strcmp(a[n], b[n]) == 0;
    }
    return same;
}

/* Fields are kept while their list is the same; else they are absent until the next event. */
static void drop_carried(handler *h, const tw_rule *old)
{
    const tw_rule *r = h->rule;
    bool keep =
        same_names(r->carried, r->carried_count, old->carried, old->carried_count);
    bool keep_first = same_names(r->carried_first, r->carried_first_count,
                                 old->carried_first, old->carried_first_count);

    for (uint32_t n = tw_keyed_next(h->keys, TW_KEYED_NONE);
         n != TW_KEYED_NONE && !(keep && keep_first); n = tw_keyed_next(h->keys, n)) {
        handler_key *k = tw_keyed_at(h->keys, n);
        if (!keep) {
            tw_carried_give(h->slab, k->carried);
            k->carried = NULL;
        }
        if (!keep_first) {
            tw_carried_give(h->slab, k->carried_first);
            k->carried_first = NULL;
        }
    }
}

/* What its functions keep is theirs, whatever they are now. */
static void handler_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_handler_plan *a = &fresh->handler, *b = &old->handler;

    if (a->max_state_bytes < b->max_state_bytes || a->max_timers < b->max_timers) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "what is beyond the new caps stays until it is set anew");
    }
}

static void handler_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    handler *h = (handler *)base, *old = (handler *)base_old;

    if (base_old->cls != &tw_handler_class) {
        return;
    }
    handler fresh = *h;
    h->slab = old->slab;
    h->keys = old->keys;
    h->wheel = old->wheel;
    h->clock_ms = later(old->clock_ms, clock_ms);
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->wheel = fresh.wheel;
    drop_carried(h, old->rule);
    for (uint32_t n = tw_keyed_next(h->keys, TW_KEYED_NONE);
         n != TW_KEYED_NONE && h->rule->forget_ms != old->rule->forget_ms;
         n = tw_keyed_next(h->keys, n)) {
        tw_timers_set(h->wheel, n, handler_key_next(h, tw_keyed_at(h->keys, n)));
    }
    show_count(h); /* one gauge, the new owner's */
}

static uint64_t handler_key_count(const tw_detector *base)
{
    return tw_keyed_count(((const handler *)base)->keys);
}

const tw_detector_class tw_handler_class = {
    .name = "handler",
    .new = handler_new,
    .free = handler_free,
    .event = handler_event,
    .advance = handler_advance,
    .next_deadline = handler_next_deadline,
    .fate = handler_fate,
    .adopt = handler_adopt,
    .save = handler_save,
    .load = handler_load,
    .key_count = handler_key_count,
};
