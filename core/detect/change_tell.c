// SPDX-License-Identifier: Apache-2.0
/* What a change operator asks of values, and what it tells of a key. One lane's thread. */
#include <string.h>

#include "detect/change_impl.h"
#include "detect/occurrence.h"

static change_key *key_at(const change *d, uint32_t number)
{
    return tw_keyed_at(d->keys, number);
}

/* ---- what counts ------------------------------------------------------------------- */

bool change_side_holds(const change *d, const tw_match_table *side, tw_value v)
{
    tw_projection fields = {.slot_count = d->plan->side_slot + 1};
    tw_event ev = {.projection = &fields, .slots = d->slots};

    if (!side) {
        return true;
    }
    d->slots[d->plan->side_slot] = v;
    return tw_match_table_holds(side, &ev);
}

bool change_is_asked_for(const change *d, tw_value from, tw_value to)
{
    return change_side_holds(d, d->plan->from, from) &&
           change_side_holds(d, d->plan->to, to);
}

bool change_waits(const change *d, const change_field *f)
{
    return f->next && change_is_asked_for(d, f->counted->values[0], f->next->values[0]);
}

bool change_any_open(const change *d, const change_key *k)
{
    for (uint32_t n = 0; n < d->plan->count; n++) {
        if (k->fields[n].open) {
            return true;
        }
    }
    return false;
}

/* ---- telling ----------------------------------------------------------------------- */

static bool is_same_event(const tw_kept *a, const tw_kept *b)
{
    return tw_origin_is_same(&a->origin, &b->origin);
}

void change_tell(change *d, uint32_t number, const change_field *f, tw_signal_kind kind,
                 tw_level level, tw_value from, tw_value to, int64_t at_ms,
                 const char *reason)
{
    change_key *k = key_at(d, number);
    const char *name = d->plan->names[f - k->fields];
    tw_value facts[TW_CHANGE_FACTS] = {from, to, tw_value_string(name, strlen(name))};
    const tw_kept *made = f->made.is_there ? &f->made : &k->newest;
    const tw_kept *evidence[] = {made, &k->newest};
    tw_occurrence o = {.kind = kind,
                       .from = kind == TW_SIGNAL_LEVEL && k->told
                                   ? d->rule->incident.severity
                                   : TW_LEVEL_OK,
                       .level = level,
                       .key = tw_keyed_key(d->keys, number),
                       .at_ms = at_ms,
                       .seq = d->seq,
                       .start_ms = made->time_ms,
                       .stop_ms = at_ms,
                       .newest = &k->newest,
                       .first = made,
                       .evidence = evidence,
                       .evidence_count = is_same_event(made, &k->newest) ? 1 : 2,
                       .facts = facts,
                       .reason = reason};
    tw_occurrence_tell(d->rule, &d->env, &o);
}

static tw_value value_of(const tw_carried *c)
{
    return c ? c->values[0] : tw_value_absent();
}

static const change_field *waiting_field(const change *d, const change_key *k)
{
    for (uint32_t n = 0; n < d->plan->count; n++) {
        if (change_waits(d, &k->fields[n])) {
            return &k->fields[n];
        }
    }
    return NULL;
}

/* A hold has begun, or ended without anything told. */
void change_tell_pending(change *d, uint32_t number, int64_t at_ms)
{
    change_key *k = key_at(d, number);
    const change_field *f = k->told ? NULL : waiting_field(d, k);
    bool was = k->told_pending;

    if (!d->plan->to || was == (f != NULL)) {
        return;
    }
    k->told_pending = f != NULL;
    if (f) {
        change_tell(d, number, f, TW_SIGNAL_PENDING, d->rule->incident.severity,
                    value_of(f->counted), value_of(f->next), at_ms, NULL);
    } else if (!k->told) {
        change_tell(d, number, &k->fields[0], TW_SIGNAL_PENDING, TW_LEVEL_OK,
                    tw_value_absent(), value_of(k->fields[0].counted), at_ms, NULL);
    }
}

void change_tell_gone(change *d, uint32_t number, int64_t at_ms, const char *reason)
{
    change_key *k = key_at(d, number);
    const change_field *f = &k->fields[0];

    for (uint32_t n = 0; n < d->plan->count && !f->open; n++) {
        f = &k->fields[n];
    }
    if (k->told) {
        change_tell(d, number, f, TW_SIGNAL_LEVEL, TW_LEVEL_OK, value_of(f->counted),
                    tw_value_absent(), at_ms, reason);
    } else if (k->open_until_ms > at_ms) {
        change_tell(d, number, f, TW_SIGNAL_RESOLVE, TW_LEVEL_OK, value_of(f->counted),
                    tw_value_absent(), at_ms, reason);
    }
    if (k->told_pending) {
        change_tell(d, number, f, TW_SIGNAL_PENDING, TW_LEVEL_OK, value_of(f->counted),
                    tw_value_absent(), at_ms, reason);
    }
}
