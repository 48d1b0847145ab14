// SPDX-License-Identifier: Apache-2.0
/* From signals to incidents: which one a signal is about, its members and its level; see
 * incident.h. What is told of it is tell.c's business. Shore thread only. Owns every incident
 * and its members.
 *
 * Invariant: an incident in by_id has at least one member, and by_member leads from each of
 * its members to it. It is in the list of its rule's course. */
#include "alert/incident.h"

#include <stdlib.h>
#include <string.h>

#include "alert/incident_impl.h"
#include "alert/peers.h"
#include "alert/silence.h"
#include "base/mem.h"

/* ---- life -------------------------------------------------------------------------- */

static void incident_free(void *p)
{
    tw_incident *inc = p;

    tw_marks_drop(inc);
    tw_peers_leave(inc);
    tw_wait_done(&inc->end);
    tw_wait_done(&inc->tell);
    if (inc->link) {
        *inc->link = inc->next;
        if (inc->next)
            inc->next->link = inc->link;
    }
    for (uint32_t i = 0; i < inc->member_count; i++)
        tw_free(inc->members[i].name);
    tw_free(inc->members);
    tw_rule_unref(inc->rule);
    json_decref(inc->labels);
    json_decref(inc->values);
    json_decref(inc->evidence);
    json_decref(inc->enrich);
    json_decref(inc->entities);
    tw_free(inc->id);
    tw_free(inc->route);
    tw_free(inc->title);
    tw_free(inc->body);
    tw_free(inc->acked_by);
    tw_free(inc->told_as);
    tw_signal_free(inc->aged_by);
    tw_free(inc);
}

static void register_stats(tw_incidents *in, tw_stats *stats)
{
    const char *firing[] = {"status", "firing", NULL};
    const char *resolved[] = {"status", "resolved", NULL};
    const char *told = "Notifications handed to routes.";

    in->firing = tw_stats_counter(stats, "notifications_total", told, firing);
    in->resolved = tw_stats_counter(stats, "notifications_total", told, resolved);
    in->dropped =
        tw_stats_counter(stats, "incidents_dropped_total",
                         "Incidents not opened because a look-up missed.", NULL);
    in->stormed =
        tw_stats_counter(stats, "alerts_stormed_total",
                         "Alerts that a storm's summary stood for, or that were "
                         "dropped beyond its max.",
                         NULL);
    in->aged =
        tw_stats_counter(stats, "alerts_aged_total",
                         "Alerts older than max_age, recorded and not told.", NULL);
    in->open = tw_stats_gauge(stats, "incidents_open", "Incidents that fire now.", NULL);
}

tw_incidents *tw_incidents_new(const tw_incidents_options *options)
{
    tw_incidents *in = tw_alloc(sizeof *in);

    in->options = *options;
    in->by_id = tw_map_new(incident_free);
    in->by_member = tw_map_new(tw_holding_free);
    in->courses = tw_courses_new();
    in->peers = tw_peers_new();
    in->flaps = tw_map_new(tw_flap_free);
    in->silences = tw_map_new(tw_silence_free);
    in->groups = tw_map_new(tw_group_free);
    in->storms = tw_map_new(tw_storm_free);
    register_stats(in, options->stats);
    return in;
}

void tw_incidents_free(tw_incidents *in)
{
    const char *rule;
    void *course;

    if (!in)
        return;
    tw_map_free(in->by_member);
    tw_map_free(in->storms);
    tw_map_free(in->groups);
    tw_map_free(in->by_id);
    tw_map_free(in->flaps);
    tw_map_free(in->silences);
    for (size_t i = 0; tw_map_next(in->courses, &i, &rule, &course);)
        tw_aged_free(course);
    tw_map_free(in->courses);
    tw_peers_free(in->peers);
    tw_free(in);
}

void tw_incident_report(const tw_incident *inc, const char *change, const char *reason,
                        int64_t at_ms)
{
    const tw_incidents *in = inc->in;
    tw_change c = {at_ms, in->seq, inc->rule->name, inc->id, change, reason, inc->level};

    if (in->options.change.change)
        in->options.change.change(in->options.change.self, &c);
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

/* ---- level ------------------------------------------------------------------------- */

void tw_incident_close(tw_incident *inc, int64_t at_ms, const char *reason)
{
    tw_incidents *in = inc->in;
    tw_level before = inc->level;

    inc->level = TW_LEVEL_OK;
    tw_incident_report(inc, "resolved", reason, at_ms);
    tw_incident_note(inc, "resolved", inc->highest, at_ms);
    tw_tell_end(inc, at_ms, reason);
    tw_storm_leave(inc, at_ms, reason);
    tw_marks_inhibitor_changed(inc, before, at_ms);
    for (uint32_t i = 0; i < inc->member_count; i++)
        tw_incident_let_go(inc, inc->members[i].name, inc->members[i].name_len);
    tw_map_remove(in->by_id, inc->id);
    tw_gauge_set(in->open, (int64_t)tw_map_count(in->by_id));
}

/* Brings an incident to the level its members now stand at, and has told what has to be told.
 * It may be gone afterwards. */
static void settle(tw_incident *inc, int64_t at_ms, const char *reason)
{
    tw_level before = inc->level, now = tw_incident_highest_member(inc);

    if (now == TW_LEVEL_OK && !(inc->marks & TW_MARK_FLAPPING)) {
        tw_incident_close(inc, at_ms, reason);
        return;
    }
    if (now != TW_LEVEL_OK)
        inc->level = now;
    if (inc->level > inc->highest)
        inc->highest = inc->level;
    if (inc->level != before) {
        tw_incident_report(inc, before == TW_LEVEL_OK ? "firing" : "level", reason,
                           at_ms);
        tw_incident_note(inc, "firing", inc->level, at_ms);
    }
    if (inc->level != before) {
        tw_peers_level_changed(inc);
        tw_marks_inhibitor_changed(inc, before, at_ms);
    }
    tw_incident_set_end(inc);
    tw_tell(inc, at_ms);
}

/* ---- its end ----------------------------------------------------------------------- */

void tw_incident_set_end(tw_incident *inc)
{
    int64_t calm_ms = inc->marks & TW_MARK_FLAPPING ? inc->calm_ms : TW_WAIT_NEVER;

    tw_wait_set(&inc->end, calm_ms < inc->resolve_ms ? calm_ms : inc->resolve_ms);
}

static void lower_all(tw_incident *inc, int64_t at_ms)
{
    if (tw_incident_highest_member(inc) == TW_LEVEL_OK)
        return;
    for (uint32_t i = 0; i < inc->member_count; i++)
        tw_incident_set_member(inc, &inc->members[i], TW_LEVEL_OK);
    tw_flap_changed(inc, at_ms);
}

static void on_end_due(void *self, int64_t at_ms)
{
    tw_incident *inc = self;
    const char *reason = NULL;

    if (inc->resolve_ms <= at_ms) {
        inc->resolve_ms = TW_WAIT_NEVER;
        lower_all(inc, at_ms);
        reason = "no further occurrence";
    }
    if ((inc->marks & TW_MARK_FLAPPING) && inc->calm_ms <= at_ms) {
        inc->marks &= ~(unsigned)TW_MARK_FLAPPING;
        inc->flap_told = false;
        tw_flap_calmed(inc);
        tw_incident_report(inc, "calm", NULL, at_ms);
        reason = "calm after it was flapping";
    }
    settle(inc, at_ms, reason);
}

/* Whoever is told something about a time has passed what was due before it; false: the
 * incident has ended by that. */
static bool catch_up(tw_incidents *in, const char *id, int64_t at_ms)
{
    tw_incident *inc;

    while ((inc = tw_map_get(in->by_id, id))) {
        tw_wait *due = inc->tell.at_ms < inc->end.at_ms ? &inc->tell : &inc->end;
        if (due->at_ms >= at_ms)
            return true;
        int64_t due_ms = due->at_ms;
        tw_wait_set(due, TW_WAIT_NEVER);
        due->fire(inc, due_ms);
    }
    return false;
}

/* ---- signals ----------------------------------------------------------------------- */

tw_incident *tw_incident_new(tw_incidents *in, tw_rule *rule, char *id, int64_t opened_ms)
{
    tw_incident *inc = tw_alloc(sizeof *inc);

    inc->in = in;
    inc->id = id;
    inc->rule = tw_rule_ref(rule);
    inc->opened_ms = opened_ms;
    inc->resolve_ms = inc->calm_ms = inc->remind_ms = inc->muted_until_ms = TW_WAIT_NEVER;
    inc->since_ms = inc->want_ms = TW_TIME_NONE;
    inc->course = tw_courses_get(in->courses, rule->name);
    tw_wait_init(&inc->end, inc->course, TW_WAIT_END, inc->id, on_end_due, inc);
    tw_wait_init(&inc->tell, inc->course, TW_WAIT_TELL, inc->id, tw_tell_due, inc);
    inc->next = inc->course->first;
    inc->link = &inc->course->first;
    if (inc->next)
        inc->next->link = &inc->next;
    inc->course->first = inc;
    tw_map_put(in->by_id, id, inc);
    tw_gauge_set(in->open, (int64_t)tw_map_count(in->by_id));
    return inc;
}

/* Of an incident that ended in another way than by its level, as `resolve.on` does: that it was worse
 * before opens nothing. */
static bool is_fall(const tw_signal *s)
{
    return s->kind == TW_SIGNAL_LEVEL && s->from != TW_LEVEL_UNKNOWN &&
           s->level < s->from;
}

/* The incident that a raise is about; NULL: it opens none. */
static tw_incident *find_or_open(tw_incidents *in, tw_signal_view *v, const char *name,
                                 size_t len)
{
    const tw_signal *s = v->signal;
    tw_holding *h =
        s->kind == TW_SIGNAL_LEVEL ? tw_map_get_n(in->by_member, name, len) : NULL;
    char *id = h ? tw_strdup(h->items[0].incident->id) : tw_signal_incident_id(v);
    tw_incident *inc = NULL;

    if (catch_up(in, id, s->at_ms)) {
        inc = tw_map_get(in->by_id, id);
    } else if (v->missed) {
        tw_count(in->dropped, 1);
    } else if (!is_fall(s)) {
        inc = tw_incident_new(in, s->rule, tw_strdup(id), s->at_ms);
        inc->labels = tw_signal_labels(v);
        inc->entities = tw_signal_entities(v);
        tw_peers_enter(inc);
    }
    tw_free(id);
    return inc;
}

/* The deadlines of an incident are those of the rule that opened it. */
static void renew_rule(tw_incident *inc, tw_rule *rule)
{
    if (inc->rule == rule || strcmp(inc->rule->name, rule->name) != 0)
        return;
    tw_rule_unref(inc->rule);
    inc->rule = tw_rule_ref(rule);
    tw_peers_rule_changed(inc);
}

static void note_occurrence(tw_incident *inc, const tw_signal *s)
{
    const tw_incident_plan *plan = &s->rule->incident;

    inc->occurrences++;
    if (plan->resolve_after_ms == TW_AFTER_NEVER)
        inc->resolve_ms = TW_WAIT_NEVER;
    else if (!plan->resolve_from_first || inc->occurrences == 1)
        inc->resolve_ms = s->at_ms + plan->resolve_after_ms;
}

static void raise_member(tw_incidents *in, const tw_signal *s, const char *name,
                         size_t len)
{
    tw_signal_view v;

    tw_signal_view_init(&v, in, s);
    tw_signal_view_enrich(&v);
    tw_incident *inc = find_or_open(in, &v, name, len);
    if (inc) {
        tw_level before = tw_incident_highest_member(inc);
        tw_member *m = tw_incident_member(inc, name, len);
        if (!m)
            m = tw_incident_add_member(inc, name, len);
        if (s->kind == TW_SIGNAL_LEVEL || s->level > m->level)
            tw_incident_set_member(inc, m, s->level);
        if (s->kind == TW_SIGNAL_OCCURRENCE)
            note_occurrence(inc, s);
        if (!is_fall(s) && s->at_ms > m->raised_ms)
            m->raised_ms = s->at_ms;
        renew_rule(inc, s->rule);
        tw_incident_render(inc, &v);
        if (tw_incident_highest_member(inc) != before)
            tw_flap_changed(inc, s->at_ms);
        in->raised = inc;
        in->raised_by = s;
        settle(inc, s->at_ms, s->reason);
        in->raised = NULL;
    }
    tw_signal_view_done(&v);
}

static void lower_member(tw_incidents *in, tw_incident *inc, const tw_signal *s,
                         const char *name, size_t len)
{
    tw_level before = tw_incident_highest_member(inc);
    tw_signal_view v;

    tw_incident_set_member(inc, tw_incident_member(inc, name, len), TW_LEVEL_OK);
    renew_rule(inc, s->rule);
    tw_signal_view_init(&v, in, s);
    tw_signal_view_enrich(&v);
    /* An event of `resolve.on` is of another kind and has none of the fields. */
    if (s->kind == TW_SIGNAL_LEVEL || s->rule->incident.resolve_inputs == 0)
        tw_incident_render(inc, &v);
    tw_signal_view_done(&v);
    if (tw_incident_highest_member(inc) != before)
        tw_flap_changed(inc, s->at_ms);
    settle(inc, s->at_ms, s->reason);
}

/* An event of `resolve.on` ends what was raised by its own time, also when it comes late: in order, what was raised
 * since would have opened anew. */
static bool may_end(const tw_signal *s, const tw_member *m)
{
    return !s->by_event || m->raised_ms <= s->at_ms;
}

static void end_member(tw_incidents *in, const tw_signal *s, const char *name, size_t len)
{
    tw_holding *h = tw_map_get_n(in->by_member, name, len);
    size_t count = h ? h->count : 0;
    char **ids = tw_calloc(count + 1, sizeof *ids);

    for (size_t i = 0; i < count; i++)
        ids[i] = tw_strdup(h->items[i].incident->id);
    for (size_t i = 0; i < count; i++) {
        tw_incident *inc =
            catch_up(in, ids[i], s->at_ms) ? tw_map_get(in->by_id, ids[i]) : NULL;
        if (inc && may_end(s, tw_incident_member(inc, name, len)))
            lower_member(in, inc, s, name, len);
        tw_free(ids[i]);
    }
    tw_free(ids);
}

/* What a level says of itself while it stands is told with whatever is told next; the evidence stays that of its last
 * change. The words of an incident that several keys hold open are those of the one that moved it last. */
static void take_news(tw_incidents *in, const tw_signal *s, const char *name, size_t len)
{
    const tw_holding *h = tw_map_get_n(in->by_member, name, len);
    char *id = tw_strdup(h ? h->items[0].incident->id : NULL);
    tw_incident *inc =
        id && catch_up(in, id, s->at_ms) ? tw_map_get(in->by_id, id) : NULL;

    if (inc && inc->member_count == 1 && inc->members[0].level != TW_LEVEL_OK) {
        tw_signal_view v;
        tw_signal_view_init(&v, in, s);
        tw_signal_view_enrich(&v);
        json_t *evidence = json_incref(inc->evidence);
        tw_incident_render(inc, &v);
        json_decref(inc->evidence);
        inc->evidence = evidence;
        tw_signal_view_done(&v);
    }
    tw_free(id);
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
    tw_courses_advance(in->courses, in->options.clock.ms, in->options.clock.self, false,
                       s->at_ms);
    in->seq = s->seq;
    if (s->kind == TW_SIGNAL_PENDING) {
        report_pending(in, s);
        return;
    }
    char *name = member_name(s->rule, &s->key, &len);
    bool ends = s->kind == TW_SIGNAL_RESOLVE ||
                (s->kind == TW_SIGNAL_LEVEL && s->level == TW_LEVEL_OK);
    if (s->kind == TW_SIGNAL_NEWS)
        take_news(in, s, name, len);
    else if (ends)
        end_member(in, s, name, len);
    else
        raise_member(in, s, name, len);
    tw_free(name);
    in->seq = 0;
}

void tw_incidents_advance(tw_incidents *in, tw_rule_clock clock, void *self,
                          bool inclusive)
{
    tw_courses_advance(in->courses, clock, self, inclusive, TW_WAIT_NEVER);
    tw_aged_advance(in, clock, self, inclusive);
}

void tw_incidents_release(tw_incidents *in, int64_t at_ms)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);)
        tw_tell_at_once(value, at_ms);
    tw_groups_at_once(in, at_ms);
    tw_storms_at_once(in, at_ms);
    if (in->options.clock.ms)
        tw_aged_advance(in, in->options.clock.ms, in->options.clock.self, true);
}

size_t tw_incidents_count(const tw_incidents *in)
{
    return tw_map_count(in->by_id);
}
