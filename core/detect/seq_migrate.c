// SPDX-License-Identifier: Apache-2.0
/* `migrate`: a match of the old version that has come further than both versions agree is shown to the rule,
 * which names the step of the new version that it waits for from then on. On the shore while the lane
 * stands still.
 *
 * Where it then stands is the last step before that one; if it has nothing of it, an event without fields
 * stands there. */
#include <string.h>

#include "detect/seq_impl.h"

/* The match on its way: from where to where. */
typedef struct moving {
    seq *s;
    const seq *old;
    const tw_kept_change *fields;
    seq_match *from;
    uint32_t target; /* the step it waits for */
} moving;

/* ---- asking ------------------------------------------------------------------------ */

static bool is_partial(const seq *s, const seq_match *m)
{
    const tw_seq_step *step = &s->plan->steps[m->at];

    return step->kind == TW_SEQ_EVENT && m->counts[step->role] < step->min;
}

uint32_t seq_waits_for(const seq *s, const seq_match *m)
{
    uint32_t j = m->at + !is_partial(s, m);

    while (j + 1 < s->plan->step_count && s->plan->steps[j].kind == TW_SEQ_GUARD)
        j++;
    return j < s->plan->step_count ? j : s->plan->step_count - 1;
}

static void view_roles(const seq *s, const seq_match *m, tw_role_view *out)
{
    for (uint32_t r = 0; r < s->rule->role_count; r++) {
        const tw_kept *kept = m->counts[r] > 0 ? seq_match_kept(s, m, r) : NULL;
        out[r].count = m->counts[r];
        if (kept) {
            out[r].first = tw_kept_see(&kept[0], s->rule);
            out[r].last = tw_kept_see(&kept[m->counts[r] > 1], s->rule);
        }
    }
}

/* The number of the step that the rule answers; -1: it drops the match, or failed. */
static int ask(const moving *v, uint32_t number)
{
    tw_role_view roles[TW_MAX_ROLES];
    tw_value key[TW_MAX_KEY_FIELDS];
    char names[TW_SEQ_MAX_STEPS][TW_SEQ_STEP_NAME], waits_for[TW_SEQ_STEP_NAME];
    const char *steps[TW_SEQ_MAX_STEPS];
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(v->s->keys, number, &len);
    tw_migration m = {.old = v->old->rule,
                      .step = waits_for,
                      .roles = roles,
                      .key = key,
                      .steps = steps,
                      .step_count = v->s->plan->step_count,
                      .answer = -1};

    for (uint32_t j = 0; j < m.step_count; j++) {
        tw_seq_step_name(v->s->rule, j, names[j]);
        steps[j] = names[j];
    }
    tw_seq_step_name(v->old->rule, seq_waits_for(v->old, v->from), waits_for);
    view_roles(v->old, v->from, roles);
    m.key_count = tw_key_values(bytes, len, key, TW_MAX_KEY_FIELDS);
    const tw_script *script = v->s->env.script;
    int rc = script->cls->migrate(v->s->env.script, v->s->rule->migrate_fn, &m);
    return rc == TW_OK ? m.answer : -1;
}

/* ---- moving ------------------------------------------------------------------------ */

/* The old rule's role of that name with events in the match, or -1. */
static int old_role(const moving *v, const char *name)
{
    for (uint32_t r = 0; r < v->old->rule->role_count; r++)
        if (v->from->counts[r] > 0 && strcmp(v->old->rule->roles[r].name, name) == 0)
            return (int)r;
    return -1;
}

static const char *role_name(const moving *v, uint32_t step)
{
    return v->s->rule->roles[v->s->plan->steps[step].role].name;
}

/* Whether it has begun the step it waits for, which wants more. */
static bool has_begun(const moving *v)
{
    const tw_seq_step *step = &v->s->plan->steps[v->target];
    int old = step->kind == TW_SEQ_EVENT ? old_role(v, role_name(v, v->target)) : -1;

    return old >= 0 && v->from->counts[old] < step->min;
}

/* The step behind which it waits for the target; -1: there is none. */
static int step_before(const moving *v)
{
    for (uint32_t j = v->target; j-- > 0;) {
        const tw_seq_step *step = &v->s->plan->steps[j];
        if (step->kind == TW_SEQ_GUARD ||
            (step->optional && old_role(v, role_name(v, j)) < 0))
            continue;
        return (int)j;
    }
    return -1;
}

/* Takes the events of an old role. */
static void take_role(const moving *v, seq_match *to, uint32_t role, uint32_t old)
{
    seq_match *from = v->from;
    tw_kept *has = seq_match_kept(v->old, from, old);
    tw_kept *gets = seq_match_kept(v->s, to, role);
    bool is_list = v->s->rule->roles[role].is_list, was_two = from->counts[old] > 1;

    gets[0] = has[was_two && !is_list];
    if (was_two && is_list)
        gets[1] = has[1];
    else if (was_two)
        tw_kept_give(&has[0], v->s->slab);
    for (int n = 0; n <= (was_two && is_list); n++) {
        tw_kept_follow(&gets[n], v->s->slab, v->fields);
        gets[n].input = seq_input_in(v->s->rule, v->old->rule, gets[n].input);
    }
    to->counts[role] = is_list ? from->counts[old] : 1;
    from->counts[old] = 0; /* what is left of it is given back */
}

/* The step counts as done. */
static void complete(const moving *v, seq_match *to, uint32_t at)
{
    const tw_seq_step *step = &v->s->plan->steps[at];
    tw_kept *kept =
        step->kind == TW_SEQ_EVENT ? seq_match_kept(v->s, to, step->role) : NULL;

    if (!kept || to->counts[step->role] >= step->min)
        return;
    for (uint32_t n = to->counts[step->role]; n < step->min && n < 2; n++)
        kept[n] = (tw_kept){.time_ms = to->last_ms,
                            .origin = {.partition = -1, .offset = -1},
                            .is_there = true};
    to->counts[step->role] = step->min;
}

static seq_match *place(const moving *v)
{
    bool begun = has_begun(v);
    int at = begun ? (int)v->target : step_before(v);

    if (at < 0)
        return NULL;
    seq_match *from = v->from, *to = seq_match_new(v->s, (uint32_t)at);
    to->start_ms = from->start_ms;
    to->base_ms = from->base_ms;
    to->last_ms = is_partial(v->old, from) && !begun ? from->base_ms : from->last_ms;
    to->first_tick = from->first_tick;
    to->last_tick = from->last_tick;
    for (uint32_t j = 0; j <= (uint32_t)at; j++) {
        const tw_seq_step *step = &v->s->plan->steps[j];
        int old = step->kind == TW_SEQ_EVENT ? old_role(v, role_name(v, j)) : -1;
        if (old >= 0 && to->counts[step->role] == 0)
            take_role(v, to, step->role, (uint32_t)old);
    }
    if (!begun)
        complete(v, to, (uint32_t)at);
    return to;
}

seq_match *seq_migrate(seq *s, const seq *old, const tw_kept_change *fields,
                       uint32_t number, seq_match *from)
{
    moving v = {.s = s, .old = old, .fields = fields, .from = from};
    int step = ask(&v, number);

    if (step < 0)
        return NULL;
    v.target = (uint32_t)step;
    return place(&v);
}
