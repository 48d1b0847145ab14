// SPDX-License-Identifier: Apache-2.0
/* The change operator in the hands of a newer version of its rule: of each field that both watch the value is
 * kept, and what waits for its hold or is open. The shore's thread, while the lane stands still. */
#include <stdio.h>
#include <string.h>

#include "detect/change_impl.h"

/* ---- what an edit leaves ----------------------------------------------------------- */

/* Where each field of `a` is in `b`, or -1. Returns how many are there. */
static uint32_t find_fields(const tw_change_plan *a, const tw_change_plan *b, int *out)
{
    uint32_t found = 0;

    for (uint32_t n = 0; n < a->count; n++) {
        out[n] = -1;
        for (uint32_t o = 0; o < b->count; o++) {
            if (strcmp(a->names[n], b->names[o]) == 0) {
                out[n] = (int)o;
            }
        }
        found += out[n] >= 0;
    }
    return found;
}

static void compare_fields(const tw_change_plan *a, const tw_change_plan *b, tw_edit *out)
{
    int from[TW_MAX_CHANGE_FIELDS];
    uint32_t found = find_fields(a, b, from);
    char why[80];

    if (found == 0) {
        tw_edit_add(out, TW_FATE_COLD, 0, "other fields are watched");
        return;
    }
    if (found < a->count) {
        snprintf(why, sizeof why,
                 "%u of the fields are new: their next value is the first",
                 a->count - found);
        tw_edit_add(out, TW_FATE_WARMING, 0, why);
    }
    if (found < b->count) {
        snprintf(why, sizeof why, "%u of the fields are not watched any more",
                 b->count - found);
        tw_edit_add(out, TW_FATE_KEPT, 0, why);
    }
}

/* Whether any input is watched by both. */
static bool shares_input(const tw_rule *fresh, const tw_rule *old)
{
    const tw_change_plan *a = fresh->detail, *b = old->detail;

    for (uint32_t i = 0; i < a->input_count; i++) {
        int was = a->slots[i] ? tw_edit_input(old, fresh, i) : -1;
        if (was >= 0 && b->slots[was]) {
            return true;
        }
    }
    return false;
}

void change_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_change_plan *a = fresh->detail, *b = old->detail;

    if (!shares_input(fresh, old)) {
        tw_edit_add(out, TW_FATE_COLD, 0, "another input is watched");
    } else if (!a->to != !b->to) {
        tw_edit_add(out, TW_FATE_COLD, 0,
                    a->to ? "with `to` a change lasts"
                          : "without `to` a change happens once");
    } else {
        compare_fields(a, b, out);
    }
    if (out->fate != TW_FATE_COLD && a->hold_ms < b->hold_ms) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "what has held as long as it now must is told at once");
    }
}

void change_count_due(const tw_detector *base, const tw_rule *fresh, int64_t clock_ms,
                      tw_due *out)
{
    const change *d = (const change *)base;
    const tw_change_plan *plan = fresh->detail;

    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        const change_key *k = tw_keyed_at(d->keys, n);
        bool fires = false;
        for (uint32_t i = 0; i < d->plan->count; i++) {
            const change_field *f = &k->fields[i];
            fires = fires || (f->next && change_waits(d, f) &&
                              f->since_ms + plan->hold_ms <= clock_ms);
        }
        out->fires += fires;
    }
}

/* ---- taking over ------------------------------------------------------------------- */

typedef struct handover {
    change *d;
    const change *old; /* its rule; what its keys hold lies in d's slab */
    int from[TW_MAX_CHANGE_FIELDS], to[TW_MAX_CHANGE_FIELDS];
    tw_kept_change kept;
} handover;

static void give_field(change *d, change_field *f)
{
    tw_carried_give(d->slab, f->counted);
    tw_carried_give(d->slab, f->next);
    tw_kept_give(&f->made, d->slab);
}

static void move_key(const handover *h, const tw_key *key, change_key *from)
{
    change *d = h->d;
    change_key *to = tw_keyed_at(d->keys, change_key_add(d, key, from->newest_ms));
    uint32_t count = h->old->plan->count;

    to->open_until_ms = from->open_until_ms;
    to->told = from->told;
    to->told_pending = from->told_pending;
    to->newest = from->newest;
    for (uint32_t n = 0; n < d->plan->count; n++) {
        if (h->from[n] >= 0) {
            give_field(d, &to->fields[n]); /* its initial value */
            to->fields[n] = from->fields[h->from[n]];
        }
    }
    for (uint32_t o = 0; o < count; o++) {
        if (h->to[o] < 0) {
            give_field(d, &from->fields[o]);
        }
    }
}

/* The new table has the new layout and is empty; the old one goes. */
static void move_keys(const handover *h, tw_keyed *keys)
{
    for (uint32_t n = tw_keyed_next(keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(keys, n)) {
        tw_key key = tw_keyed_key(keys, n);
        move_key(h, &key, tw_keyed_at(keys, n));
    }
}

/* What is open or waits may be neither by the new rule. */
static void settle(change *d, uint32_t number)
{
    change_key *k = tw_keyed_at(d->keys, number);
    int64_t at_ms = d->clock_ms != TW_TIME_NONE ? d->clock_ms : k->newest_ms;

    for (uint32_t n = 0; n < d->plan->count; n++) {
        change_field *f = &k->fields[n];
        if (f->open && !change_side_holds(d, d->plan->to, f->counted->values[0])) {
            f->open = false;
            tw_kept_give(&f->made, d->slab);
        }
    }
    if (k->told && !change_any_open(d, k)) {
        tw_value now =
            k->fields[0].counted ? k->fields[0].counted->values[0] : tw_value_absent();
        change_tell(d, number, &k->fields[0], TW_SIGNAL_LEVEL, TW_LEVEL_OK,
                    tw_value_absent(), now, at_ms, "rule changed");
        k->told = false;
    }
    change_tell_pending(d, number, at_ms);
}

static void refit(const handover *h)
{
    change *d = h->d;

    d->seq = 0;
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        change_key *k = tw_keyed_at(d->keys, n);
        tw_kept_follow(&k->newest, d->slab, &h->kept);
        for (uint32_t f = 0; f < d->plan->count; f++) {
            tw_kept_follow(&k->fields[f].made, d->slab, &h->kept);
        }
        settle(d, n);
        tw_timers_set(d->timers, n, change_next(d, k));
    }
}

void change_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    change *d = (change *)base, *old = (change *)base_old;

    if (base_old->cls != &tw_change_class) {
        return;
    }
    handover h = {.d = d, .old = old};
    uint32_t found = find_fields(d->plan, old->plan, h.from);
    bool same = found == d->plan->count && found == old->plan->count;
    change fresh = *d;
    find_fields(old->plan, d->plan, h.to);
    for (uint32_t n = 0; same && n < found; n++) {
        same = h.from[n] == (int)n;
    }
    h.kept = tw_kept_change_of(old->rule->kept, old->rule->kept_count, d->rule);
    d->slab = old->slab;
    old->slab = fresh.slab;
    d->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    if (same) {
        d->keys = old->keys;
        d->timers = old->timers;
        old->keys = fresh.keys;
        old->timers = fresh.timers;
    } else {
        move_keys(&h, old->keys);
        tw_timers_free(old->timers);
        tw_keyed_free(old->keys);
        old->keys = tw_keyed_new(change_entry_bytes(old));
        old->timers = tw_timers_new(old->keys, offsetof(change_key, timer));
    }
    refit(&h);
    change_show_count(d); /* one gauge, the new owner's */
}
