// SPDX-License-Identifier: Apache-2.0
/* The missing operator in the hands of a newer version of its rule: keys are kept with the time of their
 * newest event, from which the new times count. The shore's thread, while the lane stands still. */
#include <string.h>

#include "detect/missing_impl.h"

/* ---- what an edit leaves ----------------------------------------------------------- */

static void compare_times(const tw_missing_plan *a, const tw_missing_plan *b,
                          tw_edit *out)
{
    bool same_day = a->is_daily == b->is_daily && a->daytime_ms == b->daytime_ms &&
                    a->days == b->days && tw_zone_equal(a->zone, b->zone);

    if (a->has_every_slot && (!b->has_every_slot || a->every_slot != b->every_slot)) {
        tw_edit_add(out, TW_FATE_PARTLY, 0,
                    "a key waits only when its next event has said how long");
    } else if (!same_day || a->has_every_slot != b->has_every_slot ||
               a->every_ms != b->every_ms || a->grace_ms != b->grace_ms) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "each key waits anew from its newest event; what is missing stays so "
                    "until it is heard");
    }
}

static void compare_lists(const tw_missing_plan *a, const tw_missing_plan *b,
                          tw_edit *out)
{
    if (!a->table && b->table) {
        tw_edit_add(out, TW_FATE_PARTLY, 0,
                    "keys of the table that were never heard are dropped");
    } else if (a->table && !b->table) {
        tw_edit_add(out, TW_FATE_PARTLY, 0,
                    "keys that the table does not list are dropped");
    } else if (a->table && strcmp(a->table, b->table) != 0) {
        tw_edit_add(out, TW_FATE_PARTLY, 0,
                    "keys that the other table does not list are dropped");
    } else if (!a->table) {
        tw_edit_span(out, a->learn_ms, b->learn_ms,
                     "keys that were forgotten are not expected",
                     "keys that were not heard for so long are forgotten");
    }
}

void missing_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    const tw_missing_plan *a = fresh->detail, *b = old->detail;

    if (tw_edit_input(old, fresh, a->input) != (int)b->input) {
        tw_edit_add(out, TW_FATE_COLD, 0, "another input is to be heard");
        return;
    }
    compare_times(a, b, out);
    compare_lists(a, b, out);
    if (a->guard_ms == 0 && b->guard_ms > 0) {
        tw_edit_add(out, TW_FATE_KEPT, 0,
                    "nobody asks any more whether the source is alive");
    } else if (a->guard_ms > 0 && b->guard_ms == 0) {
        tw_edit_add(out, TW_FATE_KEPT, 0, "the source counts as alive up to now");
    }
}

/* ---- taking over ------------------------------------------------------------------- */

/* A key as the newer version sees it. False: it learns its keys and this one never came. */
static bool renew_key(missing *d, missing_key *k, const tw_kept_change *change)
{
    tw_kept_follow(&k->kept, d->slab, change);
    if (!d->plan->table) {
        k->flags &= (uint8_t)~KEY_LISTED;
    }
    return d->plan->table || k->newest_ms != TW_TIME_NONE;
}

static void renew_keys(missing *d, const tw_kept_change *change)
{
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE), next; n != TW_KEYED_NONE;
         n = next) {
        next = tw_keyed_next(d->keys, n);
        if (renew_key(d, tw_keyed_at(d->keys, n), change)) {
            tw_timers_set(d->timers, n, TW_TIMER_OFF);
            missing_key_arm(d, n);
        } else {
            missing_tell_heard(d, n, missing_later(d->clock_ms, 0), "not expected");
            missing_key_remove(d, n);
        }
    }
}

/* Without a guard nobody would ever tell that the source is back. What fires stands on the runs as they are. */
static void renew_source(missing *d)
{
    if (d->plan->guard_ms > 0) {
        if (!d->source_told) {
            missing_source_join(d);
        }
        return;
    }
    if (d->source_told) {
        d->source_told = false;
        missing_tell_source(d, false, missing_later(d->clock_ms, 0));
    }
    d->run_count = 0;
}

/* A key gets the time that a dead source cost it when its own is over. The newer version may not know of that
 * source, so it gets it now. */
static void count_from_source(missing *d, int64_t clock_ms)
{
    int64_t since_ms;

    if (d->clock_ms == TW_TIME_NONE) {
        return;
    }
    (void)missing_source_alive(d, missing_later(d->clock_ms, clock_ms), &since_ms);
    for (uint32_t n = tw_keyed_next(d->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(d->keys, n)) {
        missing_key *k = tw_keyed_at(d->keys, n);
        if (k->base_ms != TW_TIME_NONE && !(k->flags & (KEY_MISSING | KEY_STOPPED))) {
            k->base_ms = missing_later(k->base_ms, since_ms);
        }
    }
}

void missing_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    missing *d = (missing *)base, *old = (missing *)base_old;

    if (base_old->cls != &tw_missing_class) {
        return;
    }
    count_from_source(old, clock_ms);
    missing fresh = *d;
    tw_kept_change change =
        tw_kept_change_of(old->rule->kept, old->rule->kept_count, d->rule);
    *d = *old;
    *old = fresh;
    tw_rule *rule = d->rule; /* what belongs to the version changes back */
    d->rule = old->rule;
    old->rule = rule;
    d->plan = d->rule->detail;
    old->plan = old->rule->detail;
    old->env = d->env;
    d->env = fresh.env;
    old->fields = d->fields;
    d->fields = fresh.fields;
    if (d->clock_ms != TW_TIME_NONE) {
        d->clock_ms = missing_later(d->clock_ms, clock_ms);
    }
    renew_source(d);
    renew_keys(d, &change);
    if (d->env.keys) {
        tw_gauge_set(d->env.keys,
                     tw_keyed_count(d->keys)); /* one gauge, the new owner's */
    }
}
