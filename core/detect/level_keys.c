// SPDX-License-Identifier: Apache-2.0
/* The keys of a level operator: their layout, what is remembered with them, and how they
 * pass from one version of a rule to the next. One lane's thread (adopt: the shore, while
 * the lane stands still). */
#include <string.h>

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

    l.next_end = lay(&l, d->grid, sizeof(int64_t));
    l.first = lay(&l, plan->window.full || plan->window.align_first, sizeof(int64_t));
    l.sample = lay(&l, plan->has_nodata, sizeof(int64_t));
    l.seen = lay(&l, plan->window.kind == TW_WINDOW_COUNT, sizeof(uint64_t));
    l.before = lay(&l, tw_windows_has_before(&d->windows), sizeof(tw_window_state));
    /* Only where the clock alone may raise a level is there no event at hand to name. */
    l.origin =
        lay(&l, d->grid || d->raise_on_leave || has_holds(plan), sizeof(tw_origin));
    l.carried = lay(&l, d->rule->carried_count > 0, sizeof(tw_carried *));
    l.carried_first = lay(&l, d->rule->carried_first_count > 0, sizeof(tw_carried *));
    return l;
}

static tw_carried **carried_at(level_key *key, uint32_t offset)
{
    return level_part(key, offset);
}

/* ---- one key ---- */

static void show_count(level *d)
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
    if (d->grid) {
        *level_time(k, d->layout.next_end) =
            tw_windows_end_from(&d->windows, level_grid_origin(d, k), now_ms);
    }
    show_count(d);
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
        tw_carried_give(d->slab, *carried_at(k, d->layout.carried));
    }
    if (d->layout.carried_first) {
        tw_carried_give(d->slab, *carried_at(k, d->layout.carried_first));
    }
    tw_keyed_remove(d->keys, number);
    show_count(d);
}

void level_key_remember(level *d, level_key *key, uint32_t input, const tw_event *ev)
{
    const tw_rule *r = d->rule;

    if (d->layout.carried) {
        tw_carried **c = carried_at(key, d->layout.carried);
        const uint32_t *slots = r->carried_slots + (size_t)input * r->carried_count;
        *c = tw_carried_put(d->slab, *c, ev, slots, r->carried_count);
    }
    if (d->layout.origin) {
        *(tw_origin *)level_part(key, d->layout.origin) =
            (tw_origin){.stream = ev->stream,
                        .partition = ev->partition,
                        .offset = ev->offset,
                        .index = ev->index};
    }
}

void level_key_remember_first(level *d, level_key *key, uint32_t input,
                              const tw_event *ev)
{
    const tw_rule *r = d->rule;

    if (d->layout.carried_first) {
        tw_carried **c = carried_at(key, d->layout.carried_first);
        const uint32_t *slots =
            r->carried_first_slots + (size_t)input * r->carried_first_count;
        *c = tw_carried_put(d->slab, *c, ev, slots, r->carried_first_count);
    }
}

void level_key_arm(level *d, uint32_t number, level_key *key)
{
    int64_t next_ms = level_next(d, key);

    if (next_ms < key->timer.deadline_ms) {
        tw_timers_set(d->timers, number, next_ms);
    }
}

/* ---- reload ---- */

static bool same_windows(const tw_windows *a, const tw_windows *b)
{
    return a->kind == b->kind && a->over_ms == b->over_ms && a->every_ms == b->every_ms &&
           a->last == b->last && a->prev == b->prev && a->entry_bytes == b->entry_bytes &&
           a->pane_bytes == b->pane_bytes && a->aggs->count == b->aggs->count &&
           a->aggs->mask_bytes == b->aggs->mask_bytes;
}

static bool same_names(char **a, uint32_t a_count, char **b, uint32_t b_count)
{
    if (a_count != b_count) {
        return false;
    }
    for (uint32_t n = 0; n < a_count; n++) {
        if (strcmp(a[n], b[n]) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_layout(const level *a, const level *b)
{
    const tw_rule *ra = a->rule, *rb = b->rule;

    return memcmp(&a->layout, &b->layout, sizeof a->layout) == 0 &&
           same_names(ra->carried, ra->carried_count, rb->carried, rb->carried_count) &&
           same_names(ra->carried_first, ra->carried_first_count, rb->carried_first,
                      rb->carried_first_count);
}

static void move_part(level_key *to, uint32_t to_at, level_key *from, uint32_t from_at,
                      size_t bytes)
{
    if (to_at && from_at) {
        memcpy(level_part(to, to_at), level_part(from, from_at), bytes);
    }
}

/* Carried values under the names of the new version; what it adds is absent at first. */
static tw_carried *carried_renamed(level *d, tw_carried *old, char **old_names,
                                   char **names, uint32_t count)
{
    tw_value *values = tw_calloc(count, sizeof *values);

    for (uint32_t n = 0; n < count; n++) {
        for (uint32_t o = 0; o < old->count; o++) {
            if (strcmp(old_names[o], names[n]) == 0) {
                values[n] = old->values[o];
            }
        }
    }
    tw_carried *c = tw_carried_put_values(d->slab, NULL, values, count);
    tw_free(values);
    return c;
}

static void move_carried(level *d, level_key *to, const level *old, level_key *from)
{
    const level_layout *l = &d->layout, *o = &old->layout;
    tw_carried *c = o->carried ? *carried_at(from, o->carried) : NULL;
    tw_carried *first = o->carried_first ? *carried_at(from, o->carried_first) : NULL;

    if (c && l->carried) {
        *carried_at(to, l->carried) = carried_renamed(
            d, c, old->rule->carried, d->rule->carried, d->rule->carried_count);
    }
    if (first && l->carried_first) {
        *carried_at(to, l->carried_first) =
            carried_renamed(d, first, old->rule->carried_first, d->rule->carried_first,
                            d->rule->carried_first_count);
    }
    tw_carried_give(d->slab, c);
    tw_carried_give(d->slab, first);
}

static void move_key(level *d, tw_keyed *to_keys, const level *old, uint32_t number)
{
    level_key *from = tw_keyed_at(old->keys, number);
    tw_key key = tw_keyed_key(old->keys, number);
    level_key *to = tw_keyed_at(to_keys, tw_keyed_add(to_keys, &key));
    const level_layout *l = &d->layout, *o = &old->layout;

    memcpy(to, from, sizeof *to);
    tw_timer_init(&to->timer);
    if (l->first) {
        *level_time(to, l->first) = from->newest_ms;
    }
    if (l->sample) {
        *level_time(to, l->sample) = from->newest_ms;
    }
    move_part(to, l->next_end, from, o->next_end, sizeof(int64_t));
    move_part(to, l->first, from, o->first, sizeof(int64_t));
    move_part(to, l->sample, from, o->sample, sizeof(int64_t));
    move_part(to, l->before, from, o->before, sizeof(tw_window_state));
    move_part(to, l->seen, from, o->seen, sizeof(uint64_t));
    if (l->origin) {
        *(tw_origin *)level_part(to, l->origin) = (tw_origin){.partition = -1};
    }
    move_part(to, l->origin, from, o->origin, sizeof(tw_origin));
    move_carried(d, to, old, from);
}

/* The layout of entries differs: each key moves for itself. */
static void move_keys(level *d, level *old)
{
    tw_keyed *keys = tw_keyed_new(d->layout.bytes);

    for (uint32_t n = tw_keyed_next(old->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(old->keys, n)) {
        move_key(d, keys, old, n);
    }
    tw_keyed_free(d->keys);
    d->keys = keys;
    tw_timers_free(d->timers);
    d->timers = tw_timers_new(keys, offsetof(level_key, timer));
    tw_keyed_free(old->keys);
    old->keys = tw_keyed_new(old->layout.bytes);
    tw_timers_free(old->timers);
    old->timers = tw_timers_new(old->keys, offsetof(level_key, timer));
}

#define SWAP(type, a, b)                                                                 \
    do {                                                                                 \
        type swapped = (a);                                                              \
        (a) = (b);                                                                       \
        (b) = swapped;                                                                   \
    } while (0)

static bool same_timing(const level *a, const level *b)
{
    return memcmp(a->plan->levels, b->plan->levels, sizeof a->plan->levels) == 0 &&
           a->plan->nodata_after_ms == b->plan->nodata_after_ms &&
           a->plan->nodata_be == b->plan->nodata_be &&
           a->plan->at_input == b->plan->at_input &&
           a->rule->forget_ms == b->rule->forget_ms;
}

void level_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    level *d = (level *)base, *old = (level *)base_old;

    if (base_old->cls != &tw_level_class || !same_windows(&d->windows, &old->windows)) {
        return;
    }
    bool armed = same_layout(d, old) && same_timing(d, old);
    tw_windows_rest(&d->windows);
    tw_windows_rest(&old->windows);
    SWAP(tw_slab *, d->slab, old->slab);
    d->windows.slab = d->slab;
    old->windows.slab = old->slab;
    if (same_layout(d, old)) {
        SWAP(tw_keyed *, d->keys, old->keys);
        SWAP(tw_timers *, d->timers, old->timers);
    } else {
        move_keys(d, old);
    }
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); !armed && n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        level_key_arm(d, n, tw_keyed_at(d->keys, n));
    }
    show_count(d); /* one gauge, the new owner's */
}
