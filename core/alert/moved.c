// SPDX-License-Identifier: Apache-2.0
/* A rule that goes on edited, under another name, or not at all, as the incident stage sees it. Shore thread only.
 *
 * Whoever was told of an incident knows it by the names of that time, so these stay with it until it ends;
 * by its members and its clock it belongs to the new name from here on.
 *
 * Invariant: afterwards nothing but what `told_as` says, and the ids of groups and summaries that are out, knows
 * the old name. */
#include <string.h>

#include "alert/peers.h"
#include "alert/silence.h"
#include "base/mem.h"

/* How a rename goes about. */
typedef struct renaming {
    const tw_rule *old;
    tw_rule *now;
    const char *reason;
    int64_t at_ms;
    bool in_ids; /* ids are those of the default: they begin with the rule's name */
} renaming;

/* ---- ids --------------------------------------------------------------------------- */

/* Templates that are the same but for the name of their rule at the beginning. */
static bool name_is_in_ids(const tw_rule *old, const tw_rule *now)
{
    const char *a = old->incident.id.source, *b = now->incident.id.source;
    size_t n = strlen(old->name), m = strlen(now->name);

    return a && b && strncmp(a, old->name, n) == 0 && strncmp(b, now->name, m) == 0 &&
           strcmp(a + n, b + m) == 0;
}

/* What the incident would be called now; NULL: as it is. */
static char *new_id(const renaming *r, const tw_incident *inc)
{
    size_t n = strlen(r->old->name);

    if (!r->in_ids || strncmp(inc->id, r->old->name, n) != 0 ||
        (inc->id[n] != ':' && inc->id[n] != '\0'))
        return NULL;
    return tw_asprintf("%s%s", r->now->name, inc->id + n);
}

json_t *tw_incidents_ending(const tw_incidents *in, const tw_rule *old,
                            const tw_rule *now)
{
    renaming r = {.old = old,
                  .now = (tw_rule *)(uintptr_t)now,
                  .in_ids = now && name_is_in_ids(old, now)};
    const tw_course *course = tw_map_get(in->courses, old->name);
    json_t *ids = json_array();

    for (const tw_incident *inc = course ? course->first : NULL; inc; inc = inc->next) {
        char *id = now ? new_id(&r, inc) : NULL;
        if (!now || id)
            json_array_append_new(ids, json_string(inc->id));
        tw_free(id);
    }
    return ids;
}

/* ---- members ----------------------------------------------------------------------- */

/* The name of a member of the renamed rule, under its new name; NULL: it is of another rule. */
static char *new_member(const renaming *r, const tw_member *m, size_t *out_len)
{
    size_t n = strlen(r->old->name) + 1, to = strlen(r->now->name) + 1;

    if (m->name_len < n || memcmp(m->name, r->old->name, n) != 0)
        return NULL;
    char *name = tw_alloc(to + m->name_len - n + 1);
    memcpy(name, r->now->name, to);
    memcpy(name + to, m->name + n, m->name_len - n);
    *out_len = to + m->name_len - n;
    return name;
}

static void rename_members(const renaming *r, tw_incident *inc)
{
    for (uint32_t i = 0; i < inc->member_count; i++) {
        size_t len;
        char *name = new_member(r, &inc->members[i], &len);
        if (name)
            tw_incident_rename_member(inc, i, name, len);
    }
}

/* ---- one incident ------------------------------------------------------------------ */

static void enlist(tw_incident *inc, tw_course *course)
{
    *inc->link = inc->next;
    if (inc->next)
        inc->next->link = inc->link;
    inc->course = course;
    inc->next = course->first;
    inc->link = &course->first;
    if (inc->next)
        inc->next->link = &inc->next;
    course->first = inc;
    tw_wait_move(&inc->end, course);
    tw_wait_move(&inc->tell, course);
}

static void take_over(const renaming *r, tw_incident *inc)
{
    enlist(inc, tw_courses_get(inc->in->courses, r->now->name));
    if (!inc->told_as && (inc->announced || inc->told != TW_LEVEL_OK))
        inc->told_as = tw_strdup(r->old->name);
    tw_rule_unref(inc->rule);
    inc->rule = tw_rule_ref(r->now);
    tw_peers_rule_changed(inc);
    tw_wait_by(&inc->tell, r->at_ms); /* silences may see it otherwise */
}

/* It ends under its old id and goes on as it is under the new one; takes the id. */
static void reopen(const renaming *r, tw_incident *inc, char *id)
{
    tw_incident *next = tw_incident_new(inc->in, r->now, id, r->at_ms);

    for (uint32_t i = 0; i < inc->member_count; i++) {
        const tw_member *m = &inc->members[i];
        tw_member *copy = tw_incident_add_member(next, m->name, m->name_len);
        tw_incident_set_member(next, copy, m->level);
        copy->raised_ms = m->raised_ms;
    }
    next->labels = json_incref(inc->labels);
    tw_peers_enter(next);
    next->values = json_incref(inc->values);
    next->evidence = json_incref(inc->evidence);
    next->enrich = json_incref(inc->enrich);
    next->route = tw_strdup(inc->route);
    next->title = tw_strdup(inc->title);
    next->body = tw_strdup(inc->body);
    next->occurrences = inc->occurrences;
    next->resolve_ms = inc->resolve_ms;
    next->level = next->highest = inc->level;
    tw_incident_close(inc, r->at_ms > inc->opened_ms ? r->at_ms : inc->opened_ms,
                      r->reason);
    tw_incident_report(next, "firing", r->reason, r->at_ms);
    tw_incident_set_end(next);
    tw_tell(next, r->at_ms);
}

static void move(const renaming *r, tw_incident *inc)
{
    char *id = new_id(r, inc);

    rename_members(r, inc);
    if (id && !tw_map_get(inc->in->by_id, id)) {
        reopen(r, inc, id);
        return;
    }
    tw_free(id);
    take_over(r, inc);
}

/* ---- all of a rule ----------------------------------------------------------------- */

static void rename_silences(tw_incidents *in, const renaming *r)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->silences, &i, &id, &value);) {
        tw_silence *s = value;
        for (uint32_t k = 0; k < s->match.count; k++) {
            tw_label_matcher *m = &s->match.items[k];
            if (m->pattern || strcmp(m->name, "rule") != 0 ||
                strcmp(m->value, r->old->name) != 0)
                continue;
            tw_free(m->value);
            m->value = tw_strdup(r->now->name);
        }
    }
}

/* Members of the rule in incidents that another rule opened. */
static void rename_guests(tw_incidents *in, const renaming *r)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);)
        rename_members(r, value);
}

void tw_incidents_rule_moved(tw_incidents *in, const tw_rule *old, tw_rule *now,
                             const char *reason, int64_t at_ms)
{
    renaming r = {old, now, reason, at_ms, name_is_in_ids(old, now)};
    tw_course *from = tw_courses_get(in->courses, old->name);
    tw_incident **list = tw_calloc(tw_map_count(in->by_id) + 1, sizeof(tw_incident *));
    size_t count = 0;

    tw_storm_rule_moved(in, old->name, now);
    tw_aged_rule_gone(in, from, reason, at_ms);
    rename_silences(in, &r);
    for (tw_incident *inc = from->first; inc; inc = inc->next)
        list[count++] = inc;
    while (count-- > 0)
        move(&r, list[count]);
    tw_free(list);
    tw_group_rule_moved(in, old->name, now);
    rename_guests(in, &r);
}

/* ---- edited ------------------------------------------------------------------------ */

static uint64_t hash_of_alert(const tw_rule *rule)
{
    for (uint32_t i = 0; i < rule->part_count; i++)
        if (strcmp(rule->parts[i].name, "alert") == 0)
            return rule->parts[i].hash;
    return 0;
}

/* As far behind the last telling as it says now. */
static int64_t next_reminder(const tw_incident *inc, const tw_incident_plan *now,
                             int64_t at_ms)
{
    int64_t before_ms = inc->rule->incident.remind_ms, due_ms = at_ms;

    if (now->remind_ms == before_ms)
        return inc->remind_ms;
    if (now->remind_ms == 0 || now->group.set || inc->told == TW_LEVEL_OK)
        return TW_WAIT_NEVER;
    if (inc->remind_ms != TW_WAIT_NEVER)
        due_ms = inc->remind_ms - before_ms;
    due_ms += now->remind_ms;
    return due_ms > at_ms ? due_ms : at_ms;
}

static void take_edit(tw_incidents *in, tw_rule *now, int64_t at_ms)
{
    const tw_course *course = tw_map_get(in->courses, now->name);

    if (course) {
        tw_group_rule_edited(in, now);
        tw_storm_rule_edited(in, now);
    }
    for (tw_incident *inc = course ? course->first : NULL; inc; inc = inc->next) {
        if (inc->rule == now)
            continue;
        bool tells_otherwise = hash_of_alert(inc->rule) != hash_of_alert(now);
        inc->remind_ms = next_reminder(inc, &now->incident, at_ms);
        tw_rule_unref(inc->rule);
        inc->rule = tw_rule_ref(now);
        tw_peers_rule_changed(inc);
        if (tells_otherwise)
            tw_wait_by(&inc->tell, at_ms);
    }
}

void tw_incidents_rules_edited(tw_incidents *in, tw_rule *const *rules, uint32_t count,
                               int64_t at_ms)
{
    for (uint32_t i = 0; i < count; i++)
        if (rules[i]->incident.set)
            take_edit(in, rules[i], at_ms);
}

/* ---- gone -------------------------------------------------------------------------- */

void tw_incidents_rule_gone(tw_incidents *in, const tw_rule *rule, const char *reason,
                            int64_t at_ms)
{
    tw_course *course = tw_courses_get(in->courses, rule->name);
    tw_incident **gone = tw_calloc(tw_map_count(in->by_id) + 1, sizeof(tw_incident *));
    size_t count = 0;

    for (tw_incident *inc = course->first; inc; inc = inc->next)
        gone[count++] = inc;
    while (count-- > 0) {
        tw_incident *inc = gone[count];
        tw_incident_close(inc, at_ms > inc->opened_ms ? at_ms : inc->opened_ms, reason);
    }
    tw_free(gone);
    tw_storm_rule_gone(in, rule->name);
    tw_aged_rule_gone(in, course, reason, at_ms);
}
