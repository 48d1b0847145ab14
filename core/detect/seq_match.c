// SPDX-License-Identifier: Apache-2.0
/* One match on its way through the steps. One lane's thread.
 *
 * What may come next is found by walking from the step that took last: over guards, over optional steps, up
 * to the first step that must happen or the wait that has begun. A guard that is hurt stops the walk
 * there ("barrier") until another event is taken; a match from which nothing can be reached dies. */
#include <string.h>

#include "detect/seq_impl.h"

static int64_t after(int64_t at_ms, int64_t span_ms)
{
    int64_t sum;

    return __builtin_add_overflow(at_ms, span_ms, &sum) ? INT64_MAX : sum;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- blocks ------------------------------------------------------------------------ */

void seq_layout_fill(seq_layout *layout, const tw_rule *rule, const tw_seq_plan *plan)
{
    size_t bytes = sizeof(seq_match) + rule->role_count * sizeof(uint32_t);

    bytes = (bytes + 7) & ~(size_t)7;
    for (uint32_t j = 0; j < plan->step_count; j++) {
        const tw_seq_step *step = &plan->steps[j];
        if (step->kind == TW_SEQ_EVENT) {
            layout->kept_at[step->role] = (uint32_t)bytes;
            bytes += (rule->roles[step->role].is_list ? 2 : 1) * sizeof(tw_kept);
        }
        layout->bytes[j] = (uint32_t)bytes;
    }
}

uint32_t seq_match_bytes(const seq *s, const seq_match *m)
{
    return s->layout.bytes[m->at];
}

seq_match *seq_match_new(seq *s, uint32_t at)
{
    seq_match *m = tw_slab_take(s->slab, s->layout.bytes[at]);

    memset(m, 0, s->layout.bytes[at]);
    m->at = (uint8_t)at;
    m->barrier = SEQ_NO_BARRIER;
    return m;
}

tw_kept *seq_match_kept(const seq *s, const seq_match *m, uint32_t role)
{
    return (tw_kept *)(void *)((char *)(uintptr_t)m + s->layout.kept_at[role]);
}

static void give_role(seq *s, seq_match *m, uint32_t role)
{
    tw_kept *kept = seq_match_kept(s, m, role);

    tw_kept_give(&kept[0], s->slab);
    if (s->rule->roles[role].is_list) {
        tw_kept_give(&kept[1], s->slab);
    }
    m->counts[role] = 0;
}

void seq_match_give(seq *s, seq_match *m)
{
    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        if (m->counts[r] > 0) {
            give_role(s, m, r);
        }
    }
    tw_slab_give(s->slab, m, seq_match_bytes(s, m));
}

/* The same match in a block that reaches to step j. */
static seq_match *grow(seq *s, seq_match *m, uint32_t j)
{
    uint32_t bytes = seq_match_bytes(s, m);

    if (s->layout.bytes[j] > bytes) {
        seq_match *larger = tw_slab_take(s->slab, s->layout.bytes[j]);
        memcpy(larger, m, bytes);
        memset((char *)larger + bytes, 0, s->layout.bytes[j] - bytes);
        tw_slab_give(s->slab, m, bytes);
        m = larger;
    }
    m->at = (uint8_t)j;
    return m;
}

/* ---- what it has seen -------------------------------------------------------------- */

static const tw_kept *newest_of(const seq *s, const seq_match *m, uint32_t role)
{
    const tw_kept *kept = seq_match_kept(s, m, role);

    return m->counts[role] > 1 ? &kept[1] : &kept[0];
}

static void view_roles(const seq *s, const seq_match *m, uint32_t hidden,
                       tw_role_view *out)
{
    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        out[r].count = m && r != hidden ? m->counts[r] : 0;
        if (out[r].count > 0) {
            out[r].first = tw_kept_see(seq_match_kept(s, m, r), s->rule);
            out[r].last = tw_kept_see(newest_of(s, m, r), s->rule);
        }
    }
}

/* hidden: a role that the event would make void. */
static bool holds(seq *s, const seq_match *m, uint32_t hidden, const tw_seq_step *step,
                  const tw_event *ev)
{
    tw_role_view roles[TW_MAX_ROLES];
    bool yes = false;

    if (step->where_fn == TW_NO_FN) {
        return true;
    }
    view_roles(s, m, hidden, roles);
    tw_arg args[] = {{.kind = TW_ARG_EVENT, .ev = ev},
                     {.kind = TW_ARG_ROLES, .roles = roles}};
    return s->env.script->cls->test_events(s->env.script, step->where_fn, args, 2,
                                           &yes) == 0 &&
           yes;
}

static bool is_same_event(const tw_origin *o, const tw_event *ev)
{
    tw_origin mine = tw_event_origin(ev);

    return tw_origin_is_same(o, &mine);
}

static bool has_just_taken(const seq *s, const seq_match *m, const tw_event *ev)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return step->kind == TW_SEQ_EVENT &&
           is_same_event(&newest_of(s, m, step->role)->origin, ev);
}

/* ---- taking ------------------------------------------------------------------------ */

static void keep(seq *s, seq_match *m, uint32_t role, const seq_arrival *a)
{
    tw_kept *kept = seq_match_kept(s, m, role);
    uint32_t count = m->counts[role]++;
    tw_kept *to = NULL;

    if (count == 0) {
        to = &kept[0];
    } else if (a->time_ms < kept[0].time_ms) {
        if (count == 1) {
            kept[1] = kept[0];
            kept[0] = (tw_kept){0};
        }
        to = &kept[0];
    } else if (count == 1 || a->time_ms >= kept[1].time_ms) {
        to = &kept[1];
    }
    if (to) {
        tw_kept_put(to, s->slab, s->rule, a->input, a->ev, a->time_ms);
    }
}

static seq_outcome took(seq *s, seq_match *m, const seq_arrival *a)
{
    keep(s, m, s->plan->steps[m->at].role, a);
    if (a->time_ms >= m->last_ms) {
        m->skipped = false;
        m->barrier = SEQ_NO_BARRIER;
        m->last_ms = a->time_ms;
    }
    m->last_tick = a->tick;
    if (seq_match_is_full(s, m)) {
        return SEQ_FULL;
    }
    /* An older repetition may fill the step when what had to follow at once did not. */
    return seq_match_is_open(s, m) ? SEQ_TAKES : SEQ_DIES;
}

bool seq_match_is_full(const seq *s, const seq_match *m)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return m->at + 1U == s->plan->step_count &&
           (step->kind == TW_SEQ_WAIT || m->counts[step->role] >= step->min);
}

/* Has begun its step and not got enough for it. */
static bool is_partial(const seq *s, const seq_match *m)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return step->kind == TW_SEQ_EVENT && m->counts[step->role] < step->min;
}

/* From where the next step counts: one that is given up half done never was. */
static int64_t end_of_step(const seq *s, const seq_match *m)
{
    return is_partial(s, m) ? m->base_ms : m->last_ms;
}

static void move_to(seq *s, seq_match **match, uint32_t j)
{
    seq_match *m = *match;
    int64_t end_ms = end_of_step(s, m);

    if (is_partial(s, m)) {
        give_role(s, m, s->plan->steps[m->at].role);
    }
    m = *match = grow(s, m, j);
    m->base_ms = m->last_ms = end_ms;
    m->skipped = false;
    m->barrier = SEQ_NO_BARRIER;
}

seq_match *seq_match_begin(seq *s, const seq_arrival *a)
{
    uint32_t j = 0;

    for (;; j++) {
        const tw_seq_step *step = &s->plan->steps[j];
        if ((step->inputs >> a->input & 1) && holds(s, NULL, TW_MAX_ROLES, step, a->ev)) {
            break;
        }
        if (!step->optional) {
            return NULL;
        }
    }
    seq_match *m = seq_match_new(s, j);
    m->start_ms = m->base_ms = m->last_ms = a->time_ms;
    m->first_tick = m->last_tick = a->tick;
    keep(s, m, s->plan->steps[j].role, a);
    return m;
}

/* ---- what may come next ------------------------------------------------------------ */

/* The first step ahead that is looked at; step_count when the one it is in must be done first. */
static uint32_t first_ahead(const seq *s, const seq_match *m)
{
    return is_partial(s, m) && !s->plan->steps[m->at].optional ? s->plan->step_count
                                                               : m->at + 1U;
}

static bool is_closed(const seq *s, const seq_match *m, const tw_seq_step *step)
{
    return step->strict && (m->skipped || is_partial(s, m));
}

static bool may_repeat(const seq *s, const seq_match *m)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return step->kind == TW_SEQ_EVENT && m->counts[step->role] < step->max &&
           !(step->run && m->skipped) && !(step->before_wait && !is_partial(s, m));
}

bool seq_match_is_open(const seq *s, const seq_match *m)
{
    if (seq_match_is_full(s, m)) {
        return false;
    }
    if (may_repeat(s, m)) {
        return true;
    }
    for (uint32_t j = first_ahead(s, m); j < s->plan->step_count && j != m->barrier;
         j++) {
        const tw_seq_step *step = &s->plan->steps[j];
        if (step->kind == TW_SEQ_GUARD) {
            continue;
        }
        if (step->kind == TW_SEQ_WAIT || !is_closed(s, m, step)) {
            return true;
        }
        if (!step->optional) {
            return false;
        }
    }
    return false;
}

/* Is it in time for a step that counts from from_ms? */
static bool in_time(const tw_seq_step *step, int64_t from_ms, int64_t time_ms, bool *late)
{
    if (time_ms < from_ms) {
        *late = true;
        return false;
    }
    return time_ms <= after(from_ms, step->within_ms);
}

static bool try_repeat(seq *s, seq_match *m, const seq_arrival *a, bool *late)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return may_repeat(s, m) && (step->inputs >> a->input & 1) &&
           in_time(step, m->base_ms, a->time_ms, late) &&
           holds(s, m, TW_MAX_ROLES, step, a->ev);
}

/* An absent step that the event hurts. */
static bool hurts(seq *s, const seq_match *m, uint32_t hidden, const tw_seq_step *step,
                  const seq_arrival *a)
{
    return (step->inputs >> a->input & 1) && a->time_ms >= end_of_step(s, m) &&
           !is_closed(s, m, step) && holds(s, m, hidden, step, a->ev);
}

/* The step ahead that takes the event, or step_count. A guard or wait that it hurts becomes the barrier. */
static uint32_t try_ahead(seq *s, seq_match *m, const seq_arrival *a, bool *late)
{
    uint32_t none = s->plan->step_count;
    uint32_t hidden = is_partial(s, m) ? s->plan->steps[m->at].role : TW_MAX_ROLES;

    for (uint32_t j = first_ahead(s, m); j < none && j != m->barrier; j++) {
        const tw_seq_step *step = &s->plan->steps[j];
        if (step->kind != TW_SEQ_EVENT) {
            if (hurts(s, m, hidden, step, a)) {
                m->barrier = (uint8_t)j;
                return none;
            }
            if (step->kind == TW_SEQ_WAIT) {
                return none;
            }
            continue;
        }
        if ((step->inputs >> a->input & 1) && !is_closed(s, m, step) &&
            in_time(step, end_of_step(s, m), a->time_ms, late) &&
            holds(s, m, hidden, step, a->ev)) {
            return j;
        }
        if (!step->optional) {
            return none;
        }
    }
    return none;
}

seq_outcome seq_match_offer(seq *s, seq_match **match, const seq_arrival *a, bool *late)
{
    seq_match *m = *match;
    bool partial = is_partial(s, m);

    if (has_just_taken(s, m, a->ev)) {
        return SEQ_SKIPS;
    }
    if (s->plan->stop_inputs >> a->input & 1) {
        *late = *late || a->time_ms < m->base_ms;
        return a->time_ms < m->base_ms ? SEQ_SKIPS : SEQ_DIES;
    }
    if (partial && try_repeat(s, m, a, late)) {
        return took(s, m, a);
    }
    uint32_t j = try_ahead(s, m, a, late);
    if (j < s->plan->step_count) {
        move_to(s, match, j);
        return took(s, *match, a);
    }
    if (!partial && try_repeat(s, m, a, late)) {
        return took(s, m, a);
    }
    m->skipped = m->skipped || a->time_ms >= m->last_ms;
    /* It may have closed the only way that was still in time. */
    return seq_match_is_open(s, m) && seq_match_deadline(s, m) >= a->now_ms ? SEQ_SKIPS
                                                                            : SEQ_DIES;
}

/* ---- time -------------------------------------------------------------------------- */

/* The wait that goes on, or step_count. */
static uint32_t wait_ahead(const seq *s, const seq_match *m)
{
    uint32_t none = s->plan->step_count;

    for (uint32_t j = first_ahead(s, m); j < none && j != m->barrier; j++) {
        const tw_seq_step *step = &s->plan->steps[j];
        if (step->kind == TW_SEQ_WAIT) {
            return j;
        }
        if (step->kind == TW_SEQ_EVENT && !step->optional) {
            return none;
        }
    }
    return none;
}

static int64_t wait_end(const seq *s, const seq_match *m, uint32_t wait)
{
    return after(end_of_step(s, m), s->plan->steps[wait].lasting_ms);
}

int64_t seq_match_deadline(const seq *s, const seq_match *m)
{
    int64_t whole_ms = after(m->start_ms, s->plan->within_ms), life_ms = INT64_MIN;
    uint32_t wait = wait_ahead(s, m);

    if (wait < s->plan->step_count) {
        return earlier(whole_ms, wait_end(s, m, wait));
    }
    if (may_repeat(s, m)) {
        life_ms = after(m->base_ms, s->plan->steps[m->at].within_ms);
    }
    for (uint32_t j = first_ahead(s, m); j < s->plan->step_count && j != m->barrier;
         j++) {
        const tw_seq_step *step = &s->plan->steps[j];
        if (step->kind == TW_SEQ_EVENT && !is_closed(s, m, step)) {
            life_ms = later(life_ms, after(end_of_step(s, m), step->within_ms));
        }
        if (step->kind == TW_SEQ_EVENT && !step->optional) {
            break;
        }
    }
    return earlier(whole_ms, life_ms);
}

seq_outcome seq_match_due(seq *s, seq_match **match)
{
    seq_match *m = *match;
    uint32_t wait = wait_ahead(s, m);

    if (wait == s->plan->step_count ||
        wait_end(s, m, wait) > after(m->start_ms, s->plan->within_ms)) {
        return SEQ_DIES;
    }
    int64_t end_ms = wait_end(s, m, wait);
    move_to(s, match, wait);
    m = *match;
    m->base_ms = m->last_ms = end_ms;
    return wait + 1 == s->plan->step_count ? SEQ_FULL : SEQ_TAKES;
}

/* ---- telling ----------------------------------------------------------------------- */

void seq_match_tell(const seq *s, const seq_match *m, const tw_key *key, int64_t at_ms,
                    uint64_t seq_number, bool timed_out)
{
    tw_role_events roles[TW_MAX_ROLES] = {0};
    tw_value facts[] = {tw_value_bool(timed_out)};

    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        if (m->counts[r] > 0) {
            roles[r] = (tw_role_events){.count = m->counts[r],
                                        .first = seq_match_kept(s, m, r),
                                        .last = newest_of(s, m, r)};
        }
    }
    tw_occurrence o = {.kind = TW_SIGNAL_OCCURRENCE,
                       .key = *key,
                       .at_ms = at_ms,
                       .seq = seq_number,
                       .start_ms = m->start_ms,
                       .stop_ms = timed_out ? at_ms : m->last_ms,
                       .roles = roles,
                       .facts = facts};
    tw_occurrence_tell(s->rule, &s->env, &o);
}
