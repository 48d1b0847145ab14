// SPDX-License-Identifier: Apache-2.0
/* The lifecycle of incidents; see incident.h. Shore thread only. Owns every incident and
 * its members.
 *
 * Invariant: an incident in by_id has at least one member, and by_member leads from each
 * of its members to it; `told` is the highest level a receiver has heard of in this
 * episode. */
#include "alert/incident.h"

#include <stdlib.h>
#include <string.h>

#include "alert/incident_impl.h"
#include "base/mem.h"

static void incident_free(void *p)
{
    tw_incident *inc = p;

    for (uint32_t i = 0; i < inc->member_count; i++)
        tw_free(inc->members[i].name);
    tw_free(inc->members);
    tw_rule_unref(inc->rule);
    json_decref(inc->labels);
    json_decref(inc->values);
    json_decref(inc->evidence);
    json_decref(inc->enrich);
    tw_free(inc->id);
    tw_free(inc->route);
    tw_free(inc->title);
    tw_free(inc->body);
    tw_free(inc);
}

tw_incidents *tw_incidents_new(const tw_incidents_options *options)
{
    tw_incidents *in = tw_alloc(sizeof *in);
    const char *firing[] = {"status", "firing", NULL};
    const char *resolved[] = {"status", "resolved", NULL};
    const char *help = "Notifications handed to routes.";

    in->options = *options;
    in->by_id = tw_map_new(incident_free);
    in->by_member = tw_map_new(NULL);
    in->deadlines = tw_map_new(tw_free);
    in->firing = tw_stats_counter(options->stats, "notifications_total", help, firing);
    in->resolved =
        tw_stats_counter(options->stats, "notifications_total", help, resolved);
    in->dropped =
        tw_stats_counter(options->stats, "incidents_dropped_total",
                         "Incidents not opened because a look-up missed.", NULL);
    in->open = tw_stats_gauge(options->stats, "incidents_open",
                              "Incidents that fire now.", NULL);
    return in;
}

void tw_incidents_free(tw_incidents *in)
{
    if (!in)
        return;
    tw_map_free(in->by_member);
    tw_map_free(in->by_id);
    tw_map_free(in->deadlines);
    tw_free(in);
}

static void report(tw_incidents *in, const tw_incident *inc, const char *change,
                   const char *reason, int64_t at_ms, uint64_t seq)
{
    tw_change c = {at_ms, seq, inc->rule->name, inc->id, change, reason, inc->level};

    if (in->options.change.change)
        in->options.change.change(in->options.change.self, &c);
}

static void tell(tw_incidents *in, tw_incident *inc, int64_t at_ms, uint64_t seq,
                 bool resolved, const char *reason)
{
    tw_notification *n = tw_incident_notification(inc, at_ms, seq, resolved, reason);

    tw_count(resolved ? in->resolved : in->firing, 1);
    in->options.notify.notify(in->options.notify.self, n);
    tw_notification_unref(n);
}

/* ---- members ----------------------------------------------------------------------- */

static char *member_name(const tw_rule *rule, const tw_key *key, size_t *out_len)
{
    size_t rule_len = strlen(rule->name) + 1;
    char *name = tw_alloc(rule_len + key->len + 1);

    memcpy(name, rule->name, rule_len);
    memcpy(name + rule_len, key->data, key->len);
    *out_len = rule_len + key->len;
    return name;
}

static tw_member *find_member(tw_incident *inc, const char *name, size_t len)
{
    for (uint32_t i = 0; i < inc->member_count; i++) {
        if (inc->members[i].name_len == len &&
            memcmp(inc->members[i].name, name, len) == 0)
            return &inc->members[i];
    }
    return NULL;
}

static tw_member *add_member(tw_incidents *in, tw_incident *inc, const char *name,
                             size_t len)
{
    inc->members = tw_realloc(inc->members, (inc->member_count + 1) * sizeof(tw_member));
    tw_member *m = &inc->members[inc->member_count++];
    *m = (tw_member){.name = tw_alloc(len + 1), .name_len = len, .level = TW_LEVEL_OK};
    memcpy(m->name, name, len);
    tw_map_put_n(in->by_member, name, len, inc);
    return m;
}

static tw_level highest_member(const tw_incident *inc)
{
    tw_level level = TW_LEVEL_OK;

    for (uint32_t i = 0; i < inc->member_count; i++)
        level = inc->members[i].level > level ? inc->members[i].level : level;
    return level;
}

/* ---- deadlines --------------------------------------------------------------------- */

static void set_deadline(tw_incidents *in, tw_incident *inc, int64_t deadline_ms)
{
    int64_t *earliest = tw_map_get(in->deadlines, inc->rule->name);

    inc->deadline_ms = deadline_ms;
    if (!earliest) {
        earliest = tw_alloc(sizeof *earliest);
        *earliest = INT64_MAX;
        tw_map_put(in->deadlines, inc->rule->name, earliest);
    }
    if (deadline_ms < *earliest)
        *earliest = deadline_ms;
}

static void close_incident(tw_incidents *in, tw_incident *inc, int64_t at_ms,
                           uint64_t seq, const char *reason)
{
    inc->level = TW_LEVEL_OK;
    report(in, inc, "resolved", reason, at_ms, seq);
    if (inc->told != TW_LEVEL_OK)
        tell(in, inc, at_ms, seq, true, reason);
    for (uint32_t i = 0; i < inc->member_count; i++) {
        char *name = inc->members[i].name;
        if (tw_map_get_n(in->by_member, name, inc->members[i].name_len) == inc)
            tw_map_remove_n(in->by_member, name, inc->members[i].name_len);
    }
    tw_map_remove(in->by_id, inc->id);
    tw_gauge_set(in->open, (int64_t)tw_map_count(in->by_id));
}

/* The incident of this rule with the earliest deadline before the limit; ties by id. */
static tw_incident *next_due(tw_incidents *in, const char *rule, int64_t limit_ms,
                             int64_t *out_earliest)
{
    tw_incident *best = NULL;
    const char *id;
    void *value;

    *out_earliest = INT64_MAX;
    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        tw_incident *inc = value;
        if (strcmp(inc->rule->name, rule) != 0)
            continue;
        if (inc->deadline_ms < *out_earliest)
            *out_earliest = inc->deadline_ms;
        if (inc->deadline_ms >= limit_ms)
            continue;
        if (!best || inc->deadline_ms < best->deadline_ms ||
            (inc->deadline_ms == best->deadline_ms && strcmp(inc->id, best->id) < 0))
            best = inc;
    }
    return best;
}

static void advance_rule(tw_incidents *in, const char *rule, int64_t *earliest,
                         int64_t limit_ms, uint64_t seq)
{
    tw_incident *due;

    if (*earliest >= limit_ms)
        return;
    while ((due = next_due(in, rule, limit_ms, earliest)))
        close_incident(in, due, due->deadline_ms, seq, "no further occurrence");
}

void tw_incidents_advance(tw_incidents *in, tw_rule_clock clock, void *self,
                          bool inclusive)
{
    const char *rule;
    void *value;

    for (size_t i = 0; tw_map_next(in->deadlines, &i, &rule, &value);) {
        int64_t *earliest = value;
        if (*earliest == INT64_MAX)
            continue;
        int64_t clock_ms = clock(self, rule);
        if (clock_ms != INT64_MIN)
            advance_rule(in, rule, earliest, inclusive ? clock_ms + 1 : clock_ms, 0);
    }
}

/* ---- signals ----------------------------------------------------------------------- */

static tw_incident *open_incident(tw_incidents *in, tw_signal_view *v, char *id)
{
    tw_incident *inc = tw_alloc(sizeof *inc);

    inc->id = id;
    inc->rule = tw_rule_ref(v->signal->rule);
    inc->opened_ms = v->signal->at_ms;
    inc->deadline_ms = INT64_MAX;
    inc->labels = tw_signal_labels(v);
    tw_map_put(in->by_id, id, inc);
    tw_gauge_set(in->open, (int64_t)tw_map_count(in->by_id));
    return inc;
}

/* Brings an incident to the level its members now stand at, and tells what has to be
 * told. */
static void settle(tw_incidents *in, tw_incident *inc, tw_signal_view *v)
{
    const tw_signal *s = v->signal;
    tw_level before = inc->level;

    inc->level = highest_member(inc);
    if (inc->level == TW_LEVEL_OK) {
        tw_incident_render(inc, v);
        close_incident(in, inc, s->at_ms, s->seq, s->reason);
        return;
    }
    if (inc->rule != s->rule) {
        tw_rule_unref(inc->rule);
        inc->rule = tw_rule_ref(s->rule);
    }
    tw_incident_render(inc, v);
    if (inc->level > inc->highest)
        inc->highest = inc->level;
    if (inc->level != before)
        report(in, inc, before == TW_LEVEL_OK ? "firing" : "level", s->reason, s->at_ms,
               s->seq);
    if (inc->level > inc->told) {
        inc->told = inc->level;
        tell(in, inc, s->at_ms, s->seq, false, NULL);
    }
}

static void raise_member(tw_incidents *in, const tw_signal *s, const char *name,
                         size_t len)
{
    tw_incident *inc =
        s->kind == TW_SIGNAL_LEVEL ? tw_map_get_n(in->by_member, name, len) : NULL;
    tw_signal_view v;

    tw_signal_view_init(&v, in, s);
    tw_signal_view_enrich(&v);
    if (!inc) {
        char *id = tw_signal_incident_id(&v);
        inc = tw_map_get(in->by_id, id);
        if (inc) {
            tw_free(id);
        } else if (v.missed) {
            tw_count(in->dropped, 1);
            tw_free(id);
            tw_signal_view_done(&v);
            return;
        } else {
            inc = open_incident(in, &v, id);
        }
    }
    tw_member *m = find_member(inc, name, len);
    if (!m)
        m = add_member(in, inc, name, len);
    if (s->kind == TW_SIGNAL_LEVEL || s->level > m->level)
        m->level = s->level;
    if (s->kind == TW_SIGNAL_OCCURRENCE) {
        inc->occurrences++;
        set_deadline(in, inc, s->at_ms + s->rule->incident.resolve_after_ms);
    }
    settle(in, inc, &v);
    tw_signal_view_done(&v);
}

static void lower_member(tw_incidents *in, tw_incident *inc, const tw_signal *s,
                         const char *name, size_t len)
{
    tw_signal_view v;

    find_member(inc, name, len)->level = TW_LEVEL_OK;
    tw_signal_view_init(&v, in, s);
    tw_signal_view_enrich(&v);
    settle(in, inc, &v);
    tw_signal_view_done(&v);
}

/* One key of a handler may have opened several incidents; its resolve ends all of them.
 */
static void end_member(tw_incidents *in, const tw_signal *s, const char *name, size_t len)
{
    tw_incident *inc = tw_map_get_n(in->by_member, name, len);
    const char *id;
    void *value;

    if (!inc)
        return;
    if (s->kind == TW_SIGNAL_LEVEL) {
        lower_member(in, inc, s, name, len);
        return;
    }
    tw_incident **held = tw_calloc(tw_map_count(in->by_id), sizeof(tw_incident *));
    size_t count = 0;
    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        if (find_member(value, name, len))
            held[count++] = value;
    }
    for (size_t i = 0; i < count; i++)
        lower_member(in, held[i], s, name, len);
    tw_free(held);
}

static void report_pending(tw_incidents *in, const tw_signal *s)
{
    tw_signal_view v;

    if (!in->options.change.change || s->level == TW_LEVEL_OK)
        return;
    tw_signal_view_init(&v, in, s);
    char *id = tw_signal_incident_id(&v);
    tw_change c = {s->at_ms, s->seq, s->rule->name, id, "pending", s->reason, s->level};
    in->options.change.change(in->options.change.self, &c);
    tw_free(id);
    tw_signal_view_done(&v);
}

void tw_incidents_signal(tw_incidents *in, const tw_signal *s)
{
    size_t len;

    if (!s->rule->incident.set)
        return;
    int64_t *earliest = tw_map_get(in->deadlines, s->rule->name);
    if (earliest)
        advance_rule(in, s->rule->name, earliest, s->at_ms, s->seq);
    if (s->kind == TW_SIGNAL_PENDING) {
        report_pending(in, s);
        return;
    }
    char *name = member_name(s->rule, &s->key, &len);
    bool ends = s->kind == TW_SIGNAL_RESOLVE ||
                (s->kind == TW_SIGNAL_LEVEL && s->level == TW_LEVEL_OK);
    if (ends)
        end_member(in, s, name, len);
    else
        raise_member(in, s, name, len);
    tw_free(name);
}

void tw_incidents_rule_gone(tw_incidents *in, const tw_rule *rule, const char *reason,
                            int64_t at_ms)
{
    tw_incident **gone = tw_calloc(tw_map_count(in->by_id) + 1, sizeof(tw_incident *));
    size_t count = 0;
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        tw_incident *inc = value;
        if (strcmp(inc->rule->name, rule->name) == 0)
            gone[count++] = inc;
    }
    for (size_t i = 0; i < count; i++)
        close_incident(in, gone[i],
                       at_ms > gone[i]->opened_ms ? at_ms : gone[i]->opened_ms, 0,
                       reason);
    tw_free(gone);
}

size_t tw_incidents_count(const tw_incidents *in)
{
    return tw_map_count(in->by_id);
}

static json_t *incident_json(const tw_incident *inc)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:O, s:s, s:s, s:o?}", "incident",
                     inc->id, "rule", inc->rule->name, "level", tw_level_name(inc->level),
                     "since", (json_int_t)inc->opened_ms, "occurrences",
                     (json_int_t)inc->occurrences, "labels", inc->labels, "title",
                     inc->title ? inc->title : "", "route", inc->route ? inc->route : "",
                     "values", inc->values ? json_incref(inc->values) : NULL);
}

json_t *tw_incidents_json(const tw_incidents *in)
{
    json_t *list = json_array();
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);)
        json_array_insert_new(list, 0, incident_json(value));
    return list;
}
