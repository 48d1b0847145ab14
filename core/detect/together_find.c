// SPDX-License-Identifier: Apache-2.0
/* Whether the event that just came makes a set complete, and telling it. One lane's thread.
 *
 *     kind a     a     a        |
 *     kind b        b         b |      of each kind the newest that are needed
 *                 [-- within ---]
 *                               end: the event, or a younger one that it comes before
 *
 * In order there is one end to look at, the event itself. */
#include "detect/occurrence.h"
#include "detect/together_impl.h"

/* Places [from, to) of each kind that the set takes. */
typedef struct chosen {
    uint32_t from[TW_MAX_ROLES], to[TW_MAX_ROLES];
} chosen;

/* The newest of each kind in the span that ends then; false: of one there are too few. */
static bool choose(const together *t, const together_key *k, int64_t end_ms, chosen *out)
{
    for (uint32_t n = 0; n < t->plan->count; n++) {
        const tw_kept_ring *kind = &k->kinds[n];
        uint32_t need = t->plan->need[n];
        if (kind->count < need) {
            return false;
        }
        out->to[n] = tw_kept_ring_after(kind, end_ms);
        out->from[n] = out->to[n] - need;
        if (out->to[n] < need || tw_kept_ring_at(kind, out->from[n])->kept.time_ms <
                                     end_ms - t->plan->within_ms) {
            return false;
        }
    }
    return true;
}

/* The earliest time above that at which something of the key stands; INT64_MAX. */
static int64_t next_end(const together *t, const together_key *k, int64_t end_ms)
{
    int64_t next_ms = INT64_MAX;

    for (uint32_t n = 0; n < t->plan->count; n++) {
        const tw_kept_ring *kind = &k->kinds[n];
        uint32_t at = tw_kept_ring_after(kind, end_ms);
        if (at < kind->count && tw_kept_ring_at(kind, at)->kept.time_ms < next_ms) {
            next_ms = tw_kept_ring_at(kind, at)->kept.time_ms;
        }
    }
    return next_ms;
}

static bool where_holds(const together *t, const tw_role_events *roles)
{
    tw_role_view views[TW_MAX_ROLES];
    tw_arg arg = {.kind = TW_ARG_ROLES, .roles = views};
    bool holds = false;

    if (t->plan->where_fn == TW_NO_FN) {
        return true;
    }
    for (uint32_t n = 0; n < t->plan->count; n++) {
        views[n] = (tw_role_view){.count = roles[n].count,
                                  .first = tw_kept_see(roles[n].first, t->rule),
                                  .last = tw_kept_see(roles[n].last, t->rule)};
    }
    return t->env.script->cls->test_events(t->env.script, t->plan->where_fn, &arg, 1,
                                           &holds) == 0 &&
           holds;
}

static void tell(together *t, uint32_t number, const tw_role_events *roles,
                 int64_t end_ms, uint64_t seq)
{
    together_key *k = together_key_at(t, number);
    int64_t start_ms = end_ms, after_ms = t->rule->incident.resolve_after_ms;

    for (uint32_t n = 0; n < t->plan->count; n++) {
        start_ms =
            roles[n].first->time_ms < start_ms ? roles[n].first->time_ms : start_ms;
    }
    if (t->rule->incident.set) {
        int64_t until_ms = after_ms < 0 ? INT64_MAX : end_ms + after_ms;
        k->open_until_ms = until_ms > k->open_until_ms ? until_ms : k->open_until_ms;
    }
    tw_occurrence o = {.kind = TW_SIGNAL_OCCURRENCE,
                       .key = tw_keyed_key(t->keys, number),
                       .at_ms = end_ms,
                       .seq = seq,
                       .start_ms = start_ms,
                       .stop_ms = end_ms,
                       .roles = roles};
    tw_occurrence_tell(t->rule, &t->env, &o);
}

/* Told, its members are used up. */
static void use_up(together *t, together_key *k, const chosen *c)
{
    for (uint32_t n = 0; n < t->plan->count; n++) {
        for (uint32_t at = c->from[n]; at < c->to[n]; at++) {
            tw_kept_give(&tw_kept_ring_at(&k->kinds[n], at)->kept, t->slab);
        }
        tw_kept_ring_cut(&k->kinds[n], t->slab, c->from[n], c->to[n]);
    }
}

void together_complete(together *t, uint32_t number, int64_t time_ms, uint64_t seq)
{
    together_key *k = together_key_at(t, number);
    int64_t end_ms = time_ms;
    chosen c;

    for (; end_ms <= time_ms + t->plan->within_ms; end_ms = next_end(t, k, end_ms)) {
        tw_role_events roles[TW_MAX_ROLES];
        if (!choose(t, k, end_ms, &c)) {
            continue;
        }
        for (uint32_t n = 0; n < t->plan->count; n++) {
            roles[n] = (tw_role_events){
                .count = t->plan->need[n],
                .first = &tw_kept_ring_at(&k->kinds[n], c.from[n])->kept,
                .last = &tw_kept_ring_at(&k->kinds[n], c.to[n] - 1)->kept};
        }
        if (where_holds(t, roles)) {
            tell(t, number, roles, end_ms, seq);
            use_up(t, k, &c);
            return;
        }
    }
}
