// SPDX-License-Identifier: Apache-2.0
/* What the join operator does with a pair, and what it tells. One lane's thread. */
#include "detect/join_impl.h"
#include "detect/occurrence.h"

void join_now_keep(join *j, join_now *now)
{
    if (!now->item.kept.is_there) {
        tw_kept_put(&now->item.kept, j->slab, j->rule, now->input, now->ev, now->time_ms);
    }
}

/* ---- telling ---- */

static void tell(join *j, uint32_t number, const tw_role_events *roles, int64_t at_ms,
                 uint64_t seq)
{
    const tw_role_events *l = &roles[TW_JOIN_LEFT], *r = &roles[TW_JOIN_RIGHT];
    join_key *k = join_key_at(j, number);
    int64_t start_ms = l->first->time_ms, after_ms = j->rule->incident.resolve_after_ms;

    if (r->count > 0 && r->first->time_ms < start_ms) {
        start_ms = r->first->time_ms;
    }
    if (j->rule->incident.set) {
        int64_t until_ms = after_ms < 0 ? INT64_MAX : at_ms + after_ms;
        k->open_until_ms = until_ms > k->open_until_ms ? until_ms : k->open_until_ms;
    }
    tw_occurrence o = {.kind = TW_SIGNAL_OCCURRENCE,
                       .key = tw_keyed_key(j->keys, number),
                       .at_ms = at_ms,
                       .seq = seq,
                       .start_ms = start_ms,
                       .stop_ms = at_ms,
                       .roles = roles};
    tw_occurrence_tell(j->rule, &j->env, &o);
}

static void tell_pair(join *j, uint32_t number, const tw_kept *left, const tw_kept *right,
                      uint64_t seq)
{
    tw_role_events roles[] = {{1, left, left}, {1, right, right}};
    int64_t at_ms = left->time_ms > right->time_ms ? left->time_ms : right->time_ms;

    tell(j, number, roles, at_ms, seq);
}

/* A left event with what it found; at_ms: TW_TIME_NONE for the newest of them. */
static void tell_found(join *j, uint32_t number, const tw_kept_item *left, int64_t at_ms,
                       uint64_t seq)
{
    const join_found *found = left->more;
    tw_role_events roles[] = {{1, &left->kept, &left->kept}, {0, NULL, NULL}};

    if (found) {
        const tw_kept *last = found->count > 1 ? &found->last : &found->first;
        roles[TW_JOIN_RIGHT] = (tw_role_events){found->count, &found->first, last};
        if (at_ms == TW_TIME_NONE) {
            at_ms = last->time_ms;
        }
    }
    if (at_ms < left->kept.time_ms) {
        at_ms = left->kept.time_ms;
    }
    tell(j, number, roles, at_ms, seq);
}

void join_close(join *j, uint32_t number, tw_kept_item *left)
{
    const join_found *found = left->more;
    uint32_t count = found ? found->count : 0;
    tw_join_tells tells = j->plan->tells;
    bool enough = count >= j->plan->need_right;

    if (tells == TW_JOIN_ALWAYS || (tells == TW_JOIN_ON_CLOSE && enough) ||
        (tells == TW_JOIN_MISSING && !enough)) {
        int64_t end_ms = left->kept.time_ms + j->plan->after_ms;
        tell_found(j, number, left, end_ms > j->edited_ms ? end_ms : j->edited_ms, 0);
    }
}

/* ---- one pair ---- */

static uint32_t collect(join *j, tw_kept_item *left, const tw_kept *right)
{
    join_found *found = left->more;

    if (!found) {
        found = left->more = tw_slab_take(j->slab, sizeof *found);
        *found = (join_found){0};
    }
    if (found->count == 0) {
        tw_kept_copy(&found->first, j->slab, right);
    } else if (right->time_ms < found->first.time_ms) {
        if (found->count == 1) {
            found->last = found->first;
            found->first = (tw_kept){0};
        }
        tw_kept_copy(&found->first, j->slab, right);
    } else if (found->count == 1 || right->time_ms >= found->last.time_ms) {
        tw_kept_copy(&found->last, j->slab, right);
    }
    return ++found->count;
}

/* A right event of a left one. True when the left one has what it waited for, or never will be told. */
static bool pair(join *j, uint32_t number, tw_kept_item *left, const tw_kept *right,
                 uint64_t seq)
{
    const tw_join_plan *plan = j->plan;

    switch (plan->tells) {
    case TW_JOIN_EACH:
        tell_pair(j, number, &left->kept, right, seq);
        return false;
    case TW_JOIN_COMPLETE:
        if (plan->need_right == 1) {
            tell_pair(j, number, &left->kept, right, seq);
            return true;
        }
        if (collect(j, left, right) < plan->need_right) {
            return false;
        }
        tell_found(j, number, left, TW_TIME_NONE, seq);
        return true;
    case TW_JOIN_ON_CLOSE:
    case TW_JOIN_ALWAYS:
        collect(j, left, right);
        return false;
    case TW_JOIN_MISSING:
        return plan->need_right == 1 || collect(j, left, right) >= plan->need_right;
    }
    return false;
}

/* One record that both inputs take is not its own partner. */
static bool is_same_event(const tw_kept *kept, const tw_event *ev)
{
    tw_origin mine = tw_event_origin(ev);

    return (ev->offset >= 0 || mine.via) && tw_origin_is_same(&kept->origin, &mine);
}

/* `kept` is the other one, on the side it stands. */
static bool is_pair(join *j, const join_now *now, const tw_kept *kept, bool kept_is_left)
{
    tw_arg event = {.kind = TW_ARG_EVENT, .ev = now->ev};
    tw_arg other = {.kind = TW_ARG_KEPT};
    bool holds = true;

    if (is_same_event(kept, now->ev)) {
        return false;
    }
    if (j->plan->where_fn == TW_NO_FN) {
        return true;
    }
    other.kept = tw_kept_see(kept, j->rule);
    tw_arg args[] = {kept_is_left ? other : event, kept_is_left ? event : other};
    return j->env.script->cls->test_events(j->env.script, j->plan->where_fn, args, 2,
                                           &holds) == 0 &&
           holds;
}

/* ---- the event at hand meets the other side, the oldest first ---- */

void join_meet_rights(join *j, join_now *now)
{
    join_key *k = join_key_at(j, now->number);
    uint32_t from = tw_kept_ring_from(&k->right, now->time_ms - j->plan->before_ms);
    uint32_t to = tw_kept_ring_after(&k->right, now->time_ms + j->plan->after_ms);

    for (uint32_t n = from; n < to && !now->done; n++) {
        const tw_kept *right = &tw_kept_ring_at(&k->right, n)->kept;
        if (is_pair(j, now, right, false)) {
            join_now_keep(j, now);
            now->done = pair(j, now->number, &now->item, right, now->ev->seq);
        }
    }
}

void join_meet_lefts(join *j, join_now *now)
{
    join_key *k = join_key_at(j, now->number);
    uint32_t from = tw_kept_ring_from(&k->left, now->time_ms - j->plan->after_ms);
    uint32_t to = tw_kept_ring_after(&k->left, now->time_ms + j->plan->before_ms);
    uint32_t stays = from;

    for (uint32_t n = from; n < to; n++) {
        tw_kept_item *left = tw_kept_ring_at(&k->left, n);
        bool done = false;
        if (is_pair(j, now, &left->kept, true)) {
            join_now_keep(j, now);
            done = pair(j, now->number, left, &now->item.kept, now->ev->seq);
        }
        if (done) {
            join_give_left(j, left);
        } else {
            *tw_kept_ring_at(&k->left, stays++) = *left;
        }
    }
    tw_kept_ring_cut(&k->left, j->slab, stays, to);
}

/* ---- several left events ---- */

/* Of left events [at, at + need) the right ones that lie within the span of each; false: too few. */
static bool is_group(const join *j, const join_key *k, uint32_t at, uint32_t *out_right)
{
    const tw_join_plan *plan = j->plan;
    int64_t first_ms = tw_kept_ring_at(&k->left, at)->kept.time_ms;
    int64_t last_ms = tw_kept_ring_at(&k->left, at + plan->need_left - 1)->kept.time_ms;
    uint32_t from = tw_kept_ring_from(&k->right, last_ms - plan->before_ms);
    uint32_t to = tw_kept_ring_after(&k->right, first_ms + plan->after_ms);

    *out_right = from;
    return to > from && to - from >= plan->need_right;
}

static void tell_group(join *j, const join_now *now, uint32_t at, uint32_t right)
{
    const tw_join_plan *plan = j->plan;
    join_key *k = join_key_at(j, now->number);
    const tw_kept *l = &tw_kept_ring_at(&k->left, at + plan->need_left - 1)->kept;
    const tw_kept *r = &tw_kept_ring_at(&k->right, right + plan->need_right - 1)->kept;
    tw_role_events roles[] = {
        {plan->need_left, &tw_kept_ring_at(&k->left, at)->kept, l},
        {plan->need_right, &tw_kept_ring_at(&k->right, right)->kept, r},
    };

    tell(j, now->number, roles, l->time_ms > r->time_ms ? l->time_ms : r->time_ms,
         now->ev->seq);
    for (uint32_t n = at; n < at + plan->need_left; n++) {
        join_give_left(j, tw_kept_ring_at(&k->left, n));
    }
    tw_kept_ring_cut(&k->left, j->slab, at, at + plan->need_left);
}

void join_complete_groups(join *j, join_now *now, bool is_left, uint32_t place)
{
    const tw_join_plan *plan = j->plan;
    join_key *k = join_key_at(j, now->number);
    uint32_t need = plan->need_left, right;
    uint32_t from = place >= need ? place - need + 1 : 0, to = place + 1;

    if (!is_left) {
        from = tw_kept_ring_from(&k->left, now->time_ms - plan->after_ms);
        to = tw_kept_ring_after(&k->left, now->time_ms + plan->before_ms);
    }
    for (uint32_t at = from; at < to && at + need <= k->left.count;) {
        if (!is_left && at + need > to) {
            return;
        }
        if (!is_group(j, k, at, &right)) {
            at++;
            continue;
        }
        tell_group(j, now, at, right);
        if (is_left) {
            return;
        }
        to -= need;
    }
}
