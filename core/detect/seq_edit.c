// SPDX-License-Identifier: Apache-2.0
/* The sequence operator in the hands of a newer version of its rule. Matches that have come no further than
 * the steps both versions begin with are kept; how often a step must come, its times and its
 * functions may differ, and what is kept of events. One lane's thread. */
#include <stdio.h>
#include <string.h>

#include "detect/seq_impl.h"

/* ---- what an edit leaves ----------------------------------------------------------- */

/* A step's inputs by name, as the other rule numbers them. */
static uint64_t inputs_in(const tw_rule *to, const tw_rule *from, uint64_t inputs)
{
    uint64_t out = 0;

    for (uint32_t i = 0; i < from->input_count; i++) {
        for (uint32_t n = 0; n < to->input_count && (inputs >> i & 1); n++) {
            if (strcmp(from->inputs[i].name, to->inputs[n].name) == 0) {
                out |= UINT64_C(1) << n;
            }
        }
    }
    return out;
}

uint32_t seq_input_in(const tw_rule *to, const tw_rule *from, uint32_t input)
{
    int number = tw_edit_input(to, from, input);

    return number < 0 ? 0 : (uint32_t)number; /* 0: nobody of the new version reads it */
}

static bool same_step(const tw_rule *fresh, const tw_seq_step *a, const tw_rule *old,
                      const tw_seq_step *b)
{
    return a->kind == b->kind && a->inputs == inputs_in(fresh, old, b->inputs) &&
           (a->kind != TW_SEQ_EVENT ||
            (a->role == b->role &&
             fresh->roles[a->role].is_list == old->roles[b->role].is_list));
}

/* How many steps both begin with. */
static uint32_t shared_steps(const tw_rule *fresh, const tw_rule *old)
{
    const tw_seq_plan *a = tw_seq_plan_of(fresh), *b = tw_seq_plan_of(old);
    uint32_t n = 0;

    while (n < a->step_count && n < b->step_count &&
           same_step(fresh, &a->steps[n], old, &b->steps[n])) {
        n++;
    }
    return n;
}

/* The steps' own times and that of the whole. */
static void compare_times(const tw_seq_plan *a, const tw_seq_plan *b, uint32_t shared,
                          tw_edit *out)
{
    int64_t longer_ms = 0, shorter_ms = 0;

    for (uint32_t n = 0; n <= shared; n++) {
        int64_t now = n < shared ? a->steps[n].within_ms : a->within_ms;
        int64_t was = n < shared ? b->steps[n].within_ms : b->within_ms;
        if (now == TW_SEQ_UNBOUND || was == TW_SEQ_UNBOUND) {
            continue; /* then the other bound is the one that ends a match */
        }
        longer_ms = now - was > longer_ms ? now - was : longer_ms;
        shorter_ms = was - now > shorter_ms ? was - now : shorter_ms;
    }
    if (longer_ms > 0) {
        tw_edit_add(out, TW_FATE_WARMING, longer_ms,
                    "matches that have run out of time do not come back");
    } else if (shorter_ms > 0) {
        tw_edit_add(out, TW_FATE_TRIMMED, -shorter_ms, "open matches have less time");
    }
}

void seq_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    uint32_t shared = shared_steps(fresh, old);
    char why[80];

    if (fresh->migrate_fn != TW_NO_FN && shared < tw_seq_plan_of(old)->step_count) {
        snprintf(why, sizeof why,
                 "open matches that have come to step %u or beyond are given to migrate",
                 shared + 1);
        tw_edit_add(out, TW_FATE_PARTLY, 0, why);
        compare_times(tw_seq_plan_of(fresh), tw_seq_plan_of(old), shared, out);
        return;
    }
    if (shared == 0) {
        tw_edit_add(out, TW_FATE_COLD, 0, "it begins with another step");
        return;
    }
    if (shared < tw_seq_plan_of(old)->step_count) {
        snprintf(why, sizeof why,
                 "open matches that have come to step %u or beyond are dropped",
                 shared + 1);
        tw_edit_add(out, TW_FATE_PARTLY, 0, why);
    } else if (shared < tw_seq_plan_of(fresh)->step_count) {
        tw_edit_add(out, TW_FATE_KEPT, 0, "open matches go on");
    }
    compare_times(tw_seq_plan_of(fresh), tw_seq_plan_of(old), shared, out);
}

/* ---- taking over ------------------------------------------------------------------- */

/* What the two versions have in common while one takes over from the other. */
typedef struct handover {
    seq *s;
    const seq *old; /* its rule and layout; its state is s's already */
    uint32_t shared;
    tw_kept_change fields;
} handover;

/* The match in a block of the new layout. */
static seq_match *moved(const handover *h, seq_match *m)
{
    seq_match *to = seq_match_new(h->s, m->at);
    uint32_t roles = h->old->rule->role_count;

    to->start_ms = m->start_ms;
    to->base_ms = m->base_ms;
    to->last_ms = m->last_ms;
    to->first_tick = m->first_tick;
    to->last_tick = m->last_tick;
    to->skipped = m->skipped;
    to->barrier = m->barrier < h->shared ? m->barrier : SEQ_NO_BARRIER;
    for (uint32_t r = 0; r < roles; r++) {
        uint32_t most = h->old->rule->roles[r].is_list ? 2 : 1;
        for (uint32_t n = 0; n < m->counts[r] && n < most; n++) {
            tw_kept *kept = &seq_match_kept(h->s, to, r)[n];
            *kept = seq_match_kept(h->old, m, r)[n];
            tw_kept_follow(kept, h->s->slab, &h->fields);
            kept->input = seq_input_in(h->s->rule, h->old->rule, kept->input);
        }
        if (m->counts[r] > 0) {
            to->counts[r] = m->counts[r];
        }
    }
    tw_slab_give(h->s->slab, m, seq_match_bytes(h->old, m));
    return to;
}

static void give_old(const handover *h, seq_match *m)
{
    for (uint32_t r = 0; r < h->old->rule->role_count; r++) {
        for (uint32_t n = 0; n < m->counts[r] && n < 2; n++) {
            tw_kept_give(&seq_match_kept(h->old, m, r)[n], h->s->slab);
        }
    }
    tw_slab_give(h->s->slab, m, seq_match_bytes(h->old, m));
}

/* The match under the new version; NULL: there is no place for it. */
static seq_match *carried_over(const handover *h, uint32_t number, seq_match *m)
{
    tw_adopted *count = &h->s->adopted;
    bool migrated = m->at >= h->shared;
    seq_match *to = NULL;

    if (!migrated) {
        to = moved(h, m);
    } else {
        if (h->s->rule->migrate_fn != TW_NO_FN) {
            to = seq_migrate(h->s, h->old, &h->fields, number, m);
        }
        give_old(h, m);
    }
    if (to && !seq_match_is_open(h->s, to)) {
        seq_match_give(h->s, to); /* the edit has left it nothing to wait for */
        to = NULL;
    }
    count->dropped += !to;
    count->migrated += to && migrated;
    count->kept += to && !migrated;
    return to;
}

/* Moves or drops every match of the key. */
static void take_over_key(const handover *h, uint32_t number)
{
    seq_key *k = tw_keyed_at(h->s->keys, number);
    seq_match **link = &k->oldest;

    while (*link) {
        seq_match *next = (*link)->next, *to = carried_over(h, number, *link);
        if (!to) {
            *link = next;
            k->open--;
            continue;
        }
        *link = to;
        to->next = next;
        link = &to->next;
    }
}

/* As many as the plan allows now: under `oldest` the oldest, else the newest. */
static void trim(seq *s, seq_key *k)
{
    bool one = s->plan->overlap == TW_SEQ_NEWEST || s->plan->overlap == TW_SEQ_OLDEST;
    uint32_t most = one ? 1 : s->plan->max_open;

    while (k->open > most) {
        seq_match **link =
            s->plan->overlap == TW_SEQ_OLDEST ? &k->oldest->next : &k->oldest;
        seq_match *m = *link;
        *link = m->next;
        k->open--;
        seq_match_give(s, m);
    }
}

void seq_adopt(tw_detector *base, tw_detector *base_old, int64_t clock_ms)
{
    seq *s = (seq *)base, *old = (seq *)base_old;

    if (base_old->cls != &tw_seq_class) {
        return;
    }
    seq fresh = *s;
    handover h = {.s = s, .old = old, .shared = shared_steps(s->rule, old->rule)};
    s->slab = old->slab;
    s->keys = old->keys;
    s->wheel = old->wheel;
    s->clock_ms = old->clock_ms > clock_ms ? old->clock_ms : clock_ms;
    s->taken = old->taken;
    s->has_taken = old->has_taken;
    old->slab = fresh.slab;
    old->keys = fresh.keys;
    old->wheel = fresh.wheel;
    h.fields = tw_kept_change_of(old->rule->kept, old->rule->kept_count, s->rule);
    for (uint32_t n = tw_keyed_next(s->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;) {
        uint32_t next = tw_keyed_next(s->keys, n);
        seq_key *k = tw_keyed_at(s->keys, n);
        take_over_key(&h, n);
        trim(s, k);
        if (k->oldest) {
            seq_rearm(s, n);
        } else {
            tw_timers_set(s->wheel, n, TW_TIMER_OFF);
            tw_keyed_remove(s->keys, n);
        }
        n = next;
    }
    seq_show_count(s);
}
