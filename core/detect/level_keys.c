// SPDX-License-Identifier: Apache-2.0
/* The keys of a level operator: their layout, and what is remembered with them. One lane's thread. */
#include "detect/level_impl.h"

/* ---- layout ---- */

static uint32_t lay(level_layout *l, bool wanted, size_t bytes)
{
    uint32_t at = l->bytes;

    if (!wanted) {
        return 0;
    }
    l->bytes += (uint32_t)((bytes + 7) & ~(size_t)7);
    return at;
}

static bool has_holds(const tw_level_plan *plan)
{
    for (uint32_t lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        if (plan->levels[lv].used &&
            (plan->levels[lv].hold_ms > 0 || plan->levels[lv].clear_hold_ms > 0)) {
            return true;
        }
    }
    return false;
}

level_layout level_lay_out(const level *d)
{
    const tw_level_plan *plan = d->plan;
    level_layout l = {.bytes = sizeof(level_key)};
    bool session = plan->window.kind == TW_WINDOW_SESSION;

    l.next_end = lay(&l, d->grid, sizeof(int64_t));
    l.first = lay(&l, plan->window.full || plan->window.align_first, sizeof(int64_t));
    l.sample = lay(&l, plan->has_nodata, sizeof(int64_t));
    l.seen = lay(&l, plan->window.kind == TW_WINDOW_COUNT, sizeof(uint64_t));
    l.session = lay(&l, session, sizeof(level_session));
    l.before = lay(&l, tw_windows_befores(&d->windows) > 0,
                   tw_windows_befores(&d->windows) * sizeof(tw_window_state));
    /* Only where the clock alone may raise a level is there no event at hand to name. */
    l.origin = lay(&l, d->grid || session || d->raise_on_leave || has_holds(plan),
                   sizeof(tw_origin));
    l.carried = lay(&l, d->rule->carried_count > 0, sizeof(tw_carried *));
    l.carried_first = lay(&l, d->rule->carried_first_count > 0, sizeof(tw_carried *));
    return l;
}

/* ---- one key ---- */

void level_show_count(level *d)
{
    if (d->env.keys) {
        tw_gauge_set(d->env.keys, tw_keyed_count(d->keys));
    }
}

uint32_t level_key_add(level *d, const tw_key *key, int64_t time_ms, int64_t now_ms)
{
    uint32_t number = tw_keyed_add(d->keys, key);
    level_key *k = tw_keyed_at(d->keys, number);

    tw_timer_init(&k->timer);
    k->newest_ms = time_ms;
    if (d->layout.first) {
        *level_time(k, d->layout.first) = time_ms;
    }
    if (d->layout.sample) {
        *level_time(k, d->layout.sample) = time_ms;
    }
    if (d->grid) { /* a window that ended before the key was known is not its own */
        int64_t end_ms =
            tw_windows_end_from(&d->windows, level_grid_origin(d, k), now_ms);
        *level_time(k, d->layout.next_end) =
            end_ms > time_ms ? end_ms : tw_windows_end_after(&d->windows, end_ms);
    }
    if (d->layout.session) {
        level_session_init(d, k);
    }
    level_show_count(d);
    return number;
}

void level_key_remove(level *d, uint32_t number)
{
    level_key *k = tw_keyed_at(d->keys, number);

    tw_timers_set(d->timers, number, TW_TIMER_OFF);
    tw_window_clear(&d->windows, &k->window);
    if (k->open) {
        tw_slab_give(d->slab, k->open, sizeof *k->open);
    }
    if (d->layout.carried) {
        tw_carried_give(d->slab, *level_carried(k, d->layout.carried));
    }
    if (d->layout.carried_first) {
        tw_carried_give(d->slab, *level_carried(k, d->layout.carried_first));
    }
    tw_keyed_remove(d->keys, number);
    level_show_count(d);
}

void level_key_remember(level *d, level_key *key, uint32_t input, const tw_event *ev)
{
    const tw_rule *r = d->rule;

    if (d->layout.carried) {
        tw_carried **c = level_carried(key, d->layout.carried);
        const uint32_t *slots = r->carried_slots + (size_t)input * r->carried_count;
        *c = tw_carried_put(d->slab, *c, ev, slots, r->carried_count);
    }
    if (d->layout.origin) {
        *(tw_origin *)level_part(key, d->layout.origin) = tw_event_origin(ev);
    }
}

void level_key_remember_first(level *d, level_key *key, uint32_t input,
                              const tw_event *ev)
{
    const tw_rule *r = d->rule;

    if (d->layout.carried_first) {
        tw_carried **c = level_carried(key, d->layout.carried_first);
        const uint32_t *slots =
            r->carried_first_slots + (size_t)input * r->carried_first_count;
        *c = tw_carried_put(d->slab, *c, ev, slots, r->carried_first_count);
    }
}

static int64_t forgotten_at(const level *d, const level_key *key)
{
    int64_t at_ms = key->newest_ms + d->rule->forget_ms;

    return at_ms > d->edited_ms ? at_ms : d->edited_ms;
}

void level_key_arm(level *d, uint32_t number, level_key *key)
{
    int64_t next_ms = d->only_forgets && !key->open && !(key->flags & KEY_EDITED)
                          ? forgotten_at(d, key)
                          : level_next(d, key);

    if (next_ms < key->timer.deadline_ms) {
        tw_timers_set(d->timers, number, next_ms);
    }
}
