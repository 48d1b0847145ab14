// SPDX-License-Identifier: Apache-2.0
#include "detect/occurrence.h"

#include <stdlib.h>

#include "base/clock.h"

enum { MAX_FOUND = 2 * TW_MAX_ROLES };

/* The signal's parts while it is told. */
typedef struct telling {
    const tw_rule *rule;
    tw_role_found roles[TW_MAX_ROLES];
    tw_value fields[TW_MAX_KEPT], first_fields[TW_MAX_KEPT], absent[TW_MAX_KEPT];
    tw_evidence evidence[TW_MAX_EVIDENCE];
    uint32_t evidence_count;
} telling;

static const tw_value *values_of(telling *t, const tw_kept *k)
{
    const tw_value *values = k ? tw_kept_see(k, t->rule).values : NULL;

    return values ? values : t->absent;
}

static void fill_roles(telling *t, const tw_role_events *roles)
{
    for (uint32_t n = 0; n < t->rule->role_count && n < TW_MAX_ROLES; n++) {
        const tw_role_events *r = &roles[n];
        t->roles[n] = (tw_role_found){.count = r->count};
        if (r->count > 0) {
            t->roles[n].first = values_of(t, r->first);
            t->roles[n].last = values_of(t, r->last);
            t->roles[n].first_ms = r->first->time_ms;
            t->roles[n].last_ms = r->last->time_ms;
        }
    }
}

static void pick(telling *t, tw_value *to, const tw_kept *from, const uint32_t *places,
                 uint32_t count)
{
    const tw_value *values = values_of(t, from);

    for (uint32_t n = 0; n < count && n < TW_MAX_KEPT; n++) {
        to[n] = places ? values[places[n]] : tw_value_absent();
    }
}

/* Every event that stands first or last in a role, oldest first. */
static uint32_t list_found(const tw_rule *rule, const tw_role_events *roles,
                           const tw_kept **out)
{
    uint32_t count = 0;

    for (uint32_t n = 0; roles && n < rule->role_count && n < TW_MAX_ROLES; n++) {
        const tw_kept *ends[] = {roles[n].first, roles[n].last};
        uint32_t there = roles[n].count == 0 ? 0 : ends[0] == ends[1] ? 1 : 2;
        for (uint32_t e = 0; e < there; e++) {
            uint32_t at = count++;
            for (; at > 0 && out[at - 1]->time_ms > ends[e]->time_ms; at--) {
                out[at] = out[at - 1];
            }
            out[at] = ends[e];
        }
    }
    return count;
}

static tw_level level_of(const tw_rule *rule, const tw_occurrence *o)
{
    switch (o->kind) {
    case TW_SIGNAL_OCCURRENCE:
        return rule->incident.severity;
    case TW_SIGNAL_RESOLVE:
        return TW_LEVEL_OK;
    case TW_SIGNAL_LEVEL:
    case TW_SIGNAL_PENDING:
    case TW_SIGNAL_VALUE:
    case TW_SIGNAL_NEWS:
        break;
    }
    return o->level;
}

static void fill_evidence(telling *t, const tw_kept *const *events, uint32_t count)
{
    for (uint32_t n = 0; n < count && t->evidence_count < TW_MAX_EVIDENCE; n++) {
        t->evidence[t->evidence_count++] =
            (tw_evidence){events[n]->origin, events[n]->time_ms};
    }
}

void tw_occurrence_tell(const tw_rule *rule, const tw_detect_env *env,
                        const tw_occurrence *o)
{
    telling t = {.rule = rule};
    const tw_kept *found[MAX_FOUND];
    uint32_t found_count = list_found(rule, o->roles, found);
    const tw_kept *newest = o->newest, *first = o->first;

    newest = newest || found_count == 0 ? newest : found[found_count - 1];
    first = first || found_count == 0 ? first : found[0];
    if (o->roles) {
        fill_roles(&t, o->roles);
    }
    pick(&t, t.fields, newest, rule->carried_kept, rule->carried_count);
    pick(&t, t.first_fields, first, rule->carried_first_kept, rule->carried_first_count);
    if (o->evidence) {
        fill_evidence(&t, o->evidence, o->evidence_count);
    } else {
        fill_evidence(&t, found, found_count);
    }
    tw_signal s = {.rule = (tw_rule *)(uintptr_t)rule,
                   .kind = o->kind,
                   .from = o->from,
                   .level = level_of(rule, o),
                   .at_ms = o->at_ms,
                   .seq = o->seq,
                   .key = o->key,
                   .result = o->result,
                   .approx = o->approx,
                   .fields = t.fields,
                   .first_fields = t.first_fields,
                   .newest = newest ? newest->origin : (tw_origin){.partition = -1},
                   .newest_ms = newest ? newest->time_ms : 0,
                   .start_ms = o->start_ms,
                   .stop_ms = o->stop_ms,
                   .reason = o->reason,
                   .roles = o->roles ? t.roles : NULL,
                   .facts = o->facts,
                   .evidence = t.evidence_count > 0 ? t.evidence : NULL,
                   .evidence_count = t.evidence_count};
    env->out.signal(env->out.self, &s);
}
