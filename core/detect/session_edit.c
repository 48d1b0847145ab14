// SPDX-License-Identifier: Apache-2.0
/* The session operator in the hands of a newer version of its rule: sessions that are open go on, and end by
 * the new gap and max from their stored times. The shore's thread, while the lane stands still. */
#include <stdio.h>

#include "detect/session_impl.h"

/* ---- what an edit leaves ----------------------------------------------------------- */

static void compare_aggs(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    int from[TW_MAX_AGGS];
    uint32_t added = fresh->level.agg_count - tw_aggs_found(fresh, old, from);
    uint32_t gone = tw_aggs_gone(fresh, old);
    char why[120];

    if (added > 0) {
        snprintf(why, sizeof why,
                 "%u aggregate%s new: of open sessions what comes from now on", added,
                 added > 1 ? "s are" : " is");
        tw_edit_add(out, TW_FATE_WARMING, 0, why);
    }
    if (gone > 0) {
        snprintf(why, sizeof why, "%u aggregate%s dropped", gone,
                 gone > 1 ? "s are" : " is");
        tw_edit_add(out, TW_FATE_KEPT, 0, why);
    }
}

static bool same_split(const tw_rule *fresh, const tw_rule *old)
{
    const tw_session_plan *a = fresh->detail, *b = old->detail;
    bool same = !a->split_slots == !b->split_slots;

    for (uint32_t i = 0; same && a->split_slots && i < fresh->input_count; i++) {
        int was = tw_edit_input(old, fresh, i);
        same = was < 0 || a->split_slots[i] == b->split_slots[was];
    }
    return same;
}

void session_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_session_plan *a = fresh->detail, *b = old->detail;

    tw_edit_sessions(out, a->gap_ms, b->gap_ms, a->max_ms, b->max_ms);
    compare_aggs(fresh, old, out);
    if (!same_split(fresh, old)) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "open sessions take the next value of the new split_on");
    }
}

/* ---- taking over ------------------------------------------------------------------- */

typedef struct handover {
    session *d, *old; /* old: its rule and layout; what its keys hold lies in d's slab */
    int agg_from[TW_MAX_AGGS];
    bool same_accs, same_split;
    tw_kept_change fields;
} handover;

static handover handover_of(session *d, session *old)
{
    handover h = {.d = d, .old = old, .same_split = same_split(d->rule, old->rule)};

    tw_aggs_found(d->rule, old->rule, h.agg_from);
    h.same_accs = d->aggs.count == old->aggs.count;
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        h.same_accs = h.same_accs && h.agg_from[n] == (int)n;
    }
    h.fields = tw_kept_change_of(old->rule->kept, old->rule->kept_count, d->rule);
    return h;
}

/* Merged rather than moved: two aggregates may be the same. */
static void move_accs(const handover *h, session_key *to, session_key *from)
{
    session *d = h->d, *old = h->old;

    for (uint32_t n = 0; n < d->aggs.count; n++) {
        if (h->agg_from[n] >= 0) {
            tw_agg_merge(&d->aggs, d->slab, n, session_acc(d, to, n),
                         session_acc(old, from, (uint32_t)h->agg_from[n]));
        }
    }
    for (uint32_t n = 0; n < old->aggs.count; n++) {
        tw_agg_clear(&old->aggs, d->slab, n, session_acc(old, from, n));
    }
}

static void move_keys(const handover *h)
{
    session *d = h->d, *old = h->old;

    for (uint32_t n = tw_keyed_next(old->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(old->keys, n)) {
        session_key *from = tw_keyed_at(old->keys, n);
        tw_key key = tw_keyed_key(old->keys, n);
        session_key *to = tw_keyed_at(d->keys, tw_keyed_add(d->keys, &key));
        *to = *from; /* all but what is measured */
        tw_timer_init(&to->timer);
        move_accs(h, to, from);
    }
    tw_timers_free(old->timers);
    tw_keyed_free(old->keys);
    old->keys = tw_keyed_new(session_entry_bytes(old));
    old->timers = tw_timers_new(old->keys, offsetof(session_key, timer));
}

static void take_keys(session *d, session *old)
{
    session fresh = *d;

    d->keys = old->keys;
    d->timers = old->timers;
    old->keys = fresh.keys;
    old->timers = fresh.timers;
}

static void refit(const handover *h)
{
    session *d = h->d;

    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        session_key *k = tw_keyed_at(d->keys, n);
        tw_kept_follow(&k->first, d->slab, &h->fields);
        tw_kept_follow(&k->newest, d->slab, &h->fields);
        if (!h->same_split) {
            tw_carried_give(d->slab, k->split);
            k->split = NULL;
        }
        tw_timers_set(d->timers, n, session_next(d, k));
    }
}

void session_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    session *d = (session *)base, *old = (session *)base_old;

    if (base_old->cls != &tw_session_class) {
        return;
    }
    handover h = handover_of(d, old);
    tw_slab *slab = d->slab;
    d->slab = old->slab;
    old->slab = slab;
    d->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    if (h.same_accs) {
        take_keys(d, old);
    } else {
        move_keys(&h);
    }
    refit(&h);
    session_show_count(d); /* one gauge, the new owner's */
}
