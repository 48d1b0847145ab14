// SPDX-License-Identifier: Apache-2.0
/* The sequence operator behind a hole: a match goes on when no event can have ended or replaced it, so that
 * what it still takes comes in order and in time as if somebody had looked. One lane's thread. */
#include "detect/seq_impl.h"
#include "detect/wake_impl.h"

/* Whether an event that a match at this step does not take may end it. */
static bool can_be_hurt(const tw_seq_plan *p, uint32_t at)
{
    for (uint32_t j = at; j < p->step_count; j++) {
        const tw_seq_step *step = &p->steps[j];
        if ((j > at && (step->kind != TW_SEQ_EVENT || step->strict)) || step->run)
            return true;
    }
    return false;
}

/* Under `newest` a younger match takes the place of an older one. While that one is at its first step, and
 * nobody asks which event that was, the younger one is as far at least. */
static bool can_be_replaced(const tw_seq_plan *p, uint32_t at)
{
    if (p->overlap != TW_SEQ_NEWEST)
        return false;
    for (uint32_t j = 0; j < p->step_count; j++)
        if (p->steps[j].where_fn != TW_NO_FN && j > 0)
            return true;
    return at > 0;
}

static bool survives(const tw_seq_plan *p, uint32_t at)
{
    return p->stop_inputs == 0 && !p->emit_timeouts && !can_be_hurt(p, at) &&
           !can_be_replaced(p, at);
}

bool seq_can_wake(const tw_rule *rule)
{
    const tw_seq_plan *p = tw_seq_plan_of(rule);

    for (uint32_t at = 0; at < p->step_count; at++)
        if (p->steps[at].kind != TW_SEQ_GUARD && survives(p, at))
            return true;
    return false;
}

void seq_wake(tw_detector *base)
{
    seq *s = (seq *)base;

    for (uint32_t n = tw_keyed_next(s->keys, TW_KEYED_NONE), next; n != TW_KEYED_NONE;
         n = next) {
        seq_key *k = tw_keyed_at(s->keys, n);
        next = tw_keyed_next(s->keys, n);
        for (seq_match **link = &k->oldest, *m; (m = *link);) {
            if (survives(s->plan, m->at)) {
                link = &m->next;
                continue;
            }
            *link = m->next;
            k->open--;
            seq_match_give(s, m);
        }
        tw_timers_set(s->wheel, n, TW_TIMER_OFF);
        if (k->oldest)
            seq_rearm(s, n);
        else
            tw_keyed_remove(s->keys, n);
    }
}
