// SPDX-License-Identifier: Apache-2.0
/* How the keys of a level operator pass from one version of a rule to the next. The shore's thread, while the
 * lane stands still.
 *
 * What a key was told, its holds and the times they began are kept whatever the edit. Its window follows as
 * window_edit.c can; where steps of a grid do not fit, the key is judged again from the first window on that
 * begins after the edit. Nothing falls due before the edit: level_next begins at edited_ms. */
#include <stdio.h>
#include <string.h>

#include "detect/level_impl.h"

/* ---- what an edit leaves ----------------------------------------------------------- */

static bool is_grid(const tw_window *w)
{
    return w->kind == TW_WINDOW_HOPPING || w->kind == TW_WINDOW_TUMBLING;
}

/* How far back a judgement looks. */
static int64_t reach_of(const tw_window *w)
{
    return is_grid(w) || w->kind == TW_WINDOW_SLIDING ? w->over_ms * (w->prev ? 2 : 1)
                                                      : 0;
}

static void compare_counts(const tw_window *a, const tw_window *b, tw_edit *out)
{
    uint32_t now = a->last * (a->prev ? 2 : 1), was = b->last * (b->prev ? 2 : 1);

    if (now > was) {
        tw_edit_add(out, TW_FATE_WARMING, 0, "a key is full when more events have come");
    } else if (now < was) {
        tw_edit_add(out, TW_FATE_TRIMMED, 0, "the oldest events of a key leave");
    }
}

static void compare_windows(const tw_window *a, const tw_window *b, tw_edit *out)
{
    if (is_grid(a) ? !is_grid(b) : a->kind != b->kind) {
        tw_edit_add(out, TW_FATE_COLD, 0, "it is another kind of window");
    } else if (a->kind == TW_WINDOW_COUNT) {
        compare_counts(a, b, out);
    } else if (a->kind == TW_WINDOW_SESSION) {
        tw_edit_sessions(out, a->gap_ms, b->gap_ms, a->max_ms, b->max_ms);
    } else if (is_grid(a) && !tw_window_same_grid(a, b)) {
        tw_edit_add(out, TW_FATE_PARTLY, 0,
                    "windows begin anew at the next edge, and levels stand until the "
                    "first of them ends");
    } else {
        tw_edit_span(out, reach_of(a), reach_of(b),
                     "the window reaches further than what is remembered",
                     "what the window does not hold any more leaves");
    }
}

static void compare_aggs(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    int from[TW_MAX_AGGS];
    uint32_t found = tw_aggs_found(fresh, old, from);
    uint32_t added = fresh->level.agg_count - found, gone = tw_aggs_gone(fresh, old);
    char why[80];

    if (found == 0) {
        tw_edit_add(out, TW_FATE_COLD, 0, "nothing is measured that was");
        return;
    }
    if (added > 0) {
        snprintf(why, sizeof why, "%u aggregate%s new", added,
                 added > 1 ? "s are" : " is");
        tw_edit_add(out, TW_FATE_WARMING, reach_of(&fresh->level.window), why);
    }
    if (gone > 0) {
        snprintf(why, sizeof why, "%u aggregate%s dropped", gone,
                 gone > 1 ? "s are" : " is");
        tw_edit_add(out, TW_FATE_KEPT, 0, why);
    }
}

void level_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    compare_windows(&fresh->level.window, &old->level.window, out);
    if (out->fate != TW_FATE_COLD) {
        compare_aggs(fresh, old, out);
    }
    if (out->fate != TW_FATE_COLD) {
        level_compare_levels(fresh, old, out);
    }
}

/* ---- one key ----------------------------------------------------------------------- */

/* Both versions while one takes over from the other; their states lie in one slab. */
typedef struct handover {
    level *d, *old;
    tw_windows_edit windows;
    int64_t
        known_ms; /* since when a window holds all that came; INT64_MIN: it always did */
    bool shorter; /* something may leave by the edit itself */
} handover;

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
    tw_carried *c = o->carried ? *level_carried(from, o->carried) : NULL;
    tw_carried *first = o->carried_first ? *level_carried(from, o->carried_first) : NULL;

    if (c && l->carried) {
        *level_carried(to, l->carried) = carried_renamed(
            d, c, old->rule->carried, d->rule->carried, d->rule->carried_count);
    }
    if (first && l->carried_first) {
        *level_carried(to, l->carried_first) =
            carried_renamed(d, first, old->rule->carried_first, d->rule->carried_first,
                            d->rule->carried_first_count);
    }
    tw_carried_give(d->slab, c);
    tw_carried_give(d->slab, first);
}

/* What some rules need, where both do; where only the new one does, from the key's newest event on. */
static void move_parts(const handover *h, level_key *to, level_key *from)
{
    const level_layout *l = &h->d->layout, *o = &h->old->layout;

    if (l->first) {
        *level_time(to, l->first) = from->newest_ms;
    }
    if (l->sample) {
        *level_time(to, l->sample) = from->newest_ms;
    }
    move_part(to, l->next_end, from, o->next_end, sizeof(int64_t));
    move_part(to, l->first, from, o->first, sizeof(int64_t));
    move_part(to, l->sample, from, o->sample, sizeof(int64_t));
    move_part(to, l->seen, from, o->seen, sizeof(uint64_t));
    move_part(to, l->session, from, o->session, sizeof(level_session));
    if (l->origin) {
        *(tw_origin *)level_part(to, l->origin) = (tw_origin){.partition = -1};
    }
    move_part(to, l->origin, from, o->origin, sizeof(tw_origin));
    move_carried(h->d, to, h->old, from);
}

/* The first window to be judged: of those that have not ended, one that is known from its start if it must be. due_ms:
 * the first that the older version would have judged; one that ended before the key was known is not its own. */
static int64_t next_end(const handover *h, level_key *key, int64_t at_ms, int64_t due_ms)
{
    const level *d = h->d;
    int64_t origin_ms = level_grid_origin(d, key), start_ms = INT64_MIN;

    if (h->windows.anew) {
        start_ms = at_ms > key->newest_ms ? at_ms : key->newest_ms + 1;
    } else if (d->plan->window.full) {
        start_ms = h->known_ms;
    }
    int64_t end_ms = tw_windows_end_from(&d->windows, origin_ms, at_ms);
    if (start_ms > tw_windows_start(&d->windows, end_ms)) {
        end_ms =
            tw_windows_end_from(&d->windows, origin_ms, start_ms + d->windows.over_ms);
    }
    while (start_ms > tw_windows_start(&d->windows, end_ms)) { /* days differ in length */
        end_ms = tw_windows_end_after(&d->windows, end_ms);
    }
    return end_ms < due_ms && end_ms <= key->newest_ms
               ? tw_windows_end_after(&d->windows, end_ms)
               : end_ms;
}

static void move_window(const handover *h, level_key *to, level_key *from)
{
    level *d = h->d;
    const level_layout *l = &d->layout, *o = &h->old->layout;
    int64_t newest_ms = to->newest_ms;
    /* what is due at the edit itself has not acted yet */
    int64_t done_ms = d->edited_ms != INT64_MIN ? d->edited_ms - 1 : INT64_MIN;
    int64_t at_ms = newest_ms > done_ms ? newest_ms : done_ms;

    if (h->windows.same) {
        to->window = from->window;
        move_part(to, l->before, from, o->before,
                  tw_windows_befores(&d->windows) * sizeof(tw_window_state));
        return;
    }
    int64_t origin_ms = d->grid ? level_grid_origin(d, to) : 0;
    tw_window_follow(&h->windows, &to->window, &from->window, newest_ms, origin_ms,
                     at_ms);
    if (d->grid) {
        int64_t due_ms = o->next_end ? *level_time(from, o->next_end) : INT64_MIN;
        *level_time(to, l->next_end) = next_end(h, to, at_ms, due_ms);
    } else if (l->first && *level_time(to, l->first) < h->known_ms) {
        *level_time(to, l->first) = h->known_ms; /* it is not full before */
    }
    if (h->shorter && !d->grid && d->edited_ms != INT64_MIN && d->plan->at_input < 0 &&
        (to->open || d->raise_on_leave)) {
        to->flags |= KEY_EDITED;
    }
}

static void move_key(const handover *h, tw_keyed *keys, uint32_t number)
{
    level_key *from = tw_keyed_at(h->old->keys, number);
    tw_key key = tw_keyed_key(h->old->keys, number);
    level_key *to = tw_keyed_at(keys, tw_keyed_add(keys, &key));

    to->newest_ms = from->newest_ms;
    to->open = from->open;
    to->told = from->told;
    to->flags = from->flags;
    tw_timer_init(&to->timer);
    move_parts(h, to, from);
    move_window(h, to, from);
}

/* The layout of entries differs, or what their windows hold: each key moves for itself. */
static void move_keys(const handover *h)
{
    level *d = h->d, *old = h->old;
    tw_keyed *keys = tw_keyed_new(d->layout.bytes);

    for (uint32_t n = tw_keyed_next(old->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(old->keys, n)) {
        move_key(h, keys, n);
    }
    tw_timers_free(d->timers);
    tw_keyed_free(d->keys);
    d->keys = keys;
    d->timers = tw_timers_new(keys, offsetof(level_key, timer));
    tw_timers_free(old->timers);
    tw_keyed_free(old->keys);
    old->keys = tw_keyed_new(old->layout.bytes);
    old->timers = tw_timers_new(old->keys, offsetof(level_key, timer));
}

/* ---- taking over ------------------------------------------------------------------- */

static bool same_timing(const level *a, const level *b)
{
    return memcmp(a->plan->levels, b->plan->levels, sizeof a->plan->levels) == 0 &&
           a->plan->nodata_after_ms == b->plan->nodata_after_ms &&
           a->plan->nodata_be == b->plan->nodata_be &&
           a->plan->at_input == b->plan->at_input &&
           a->plan->window.gap_ms == b->plan->window.gap_ms &&
           a->plan->window.max_ms == b->plan->window.max_ms &&
           a->rule->forget_ms == b->rule->forget_ms;
}

static void take_keys(level *d, level *old)
{
    tw_keyed *keys = d->keys;
    tw_timers *timers = d->timers;

    d->keys = old->keys;
    d->timers = old->timers;
    old->keys = keys;
    old->timers = timers;
}

/* Both windows take from this slab. */
static void use_slab(level *d, level *old, tw_slab *slab)
{
    d->windows.slab = slab;
    old->windows.slab = slab;
}

static handover handover_of(level *d, level *old, int64_t clock_ms)
{
    const tw_window *a = &d->plan->window, *b = &old->plan->window;
    handover h = {.d = d, .old = old, .known_ms = INT64_MIN};

    tw_windows_edit_init(&h.windows, &d->windows, d->rule, &old->windows, old->rule);
    h.shorter = reach_of(a) < reach_of(b) || a->over_ms < b->over_ms || a->last < b->last;
    if (a->over_ms > b->over_ms && clock_ms != TW_TIME_NONE) {
        h.known_ms = clock_ms - b->over_ms;
    }
    return h;
}

void level_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    level *d = (level *)base, *old = (level *)base_old;

    if (base_old->cls != &tw_level_class) {
        return;
    }
    handover h = handover_of(d, old, clock_ms);
    bool armed = h.windows.same && same_layout(d, old) && same_timing(d, old);
    tw_slab *slab = d->slab;
    d->edited_ms = clock_ms > old->edited_ms ? clock_ms : old->edited_ms;
    tw_windows_rest(&d->windows);
    tw_windows_rest(&old->windows);
    d->slab = old->slab;
    old->slab = slab;
    use_slab(d, old, d->slab);
    if (h.windows.same && same_layout(d, old)) {
        take_keys(d, old);
    } else {
        move_keys(&h);
    }
    tw_windows_rest(&d->windows);
    tw_windows_rest(&old->windows);
    old->windows.slab = old->slab;
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); !armed && n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        level_key_arm(d, n, tw_keyed_at(d->keys, n));
    }
    level_show_count(d); /* one gauge, the new owner's */
}
