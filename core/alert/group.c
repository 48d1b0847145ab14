// SPDX-License-Identifier: Apache-2.0
/* Several incidents of a rule told as one. Shore thread only. Owns the groups; members are
 * borrowed and leave before they are freed.
 *
 *     first wanted      wait        interval      interval
 *          |--------------|------------|------------|
 *          a    b         told: a b    |            told: a b c, b resolved
 *                            c opens --^ b ends ----^
 *                            a rises: told at once, and the grid stays
 *                            the last member ends: told at once, the group is over
 *
 * Invariant: a group has a member. A member is `queued` while the group has not told it. */
#include <string.h>

#include "alert/group_impl.h"
#include "base/mem.h"

void tw_group_free(void *p)
{
    tw_group *g = p;

    tw_wait_done(&g->due);
    tw_rule_unref(g->rule);
    json_decref(g->labels);
    json_decref(g->resolved);
    tw_free(g->members);
    tw_free(g->told_as);
    tw_free(g->route);
    tw_free(g->name);
    tw_free(g->key);
    tw_free(g);
}

const char *tw_group_name(const tw_group *g)
{
    return g->name;
}

int64_t tw_group_due_ms(const tw_group *g)
{
    return g->due.at_ms;
}

/* ---- time -------------------------------------------------------------------------- */

static int64_t next_turn(const tw_group *g, int64_t at_ms)
{
    int64_t every_ms = g->rule->incident.group.interval_ms;
    int64_t since_ms = at_ms - g->first_ms;

    if (every_ms <= 0) /* the rule groups no longer; it did when this began */
        return at_ms;
    return g->first_ms + (since_ms + every_ms - 1) / every_ms * every_ms;
}

static bool has_news(const tw_group *g)
{
    return g->changed || g->queued > 0 || json_array_size(g->resolved) > 0;
}

/* now_ms: turns before it are over. */
static void set_due(tw_group *g, int64_t now_ms)
{
    int64_t at_ms = g->remind_ms;

    if (g->first_ms == TW_TIME_NONE)
        at_ms = g->wait_until_ms;
    else if (has_news(g) && next_turn(g, now_ms) < at_ms)
        at_ms = next_turn(g, now_ms);
    tw_wait_set(&g->due, at_ms);
}

/* ---- members ----------------------------------------------------------------------- */

tw_incident *tw_group_next(const tw_group *g, uint32_t *io_place)
{
    while (*io_place < g->used) {
        tw_incident *inc = g->members[(*io_place)++];
        if (inc)
            return inc;
    }
    return NULL;
}

void tw_group_queue(tw_incident *inc, bool queued)
{
    if (inc->group && inc->queued != queued)
        inc->group->queued += queued ? 1 : (uint32_t)-1;
    inc->queued = queued;
}

static void close_gaps(tw_group *g)
{
    uint32_t kept = 0, i = 0;

    for (tw_incident *inc; (inc = tw_group_next(g, &i));) {
        inc->group_place = kept;
        g->members[kept++] = inc;
    }
    g->used = kept;
}

void tw_group_add(tw_group *g, tw_incident *inc)
{
    if (g->used == g->room && g->count < g->used / 2)
        close_gaps(g);
    if (g->used == g->room) {
        g->room = g->room ? 2 * g->room : 4;
        g->members = tw_realloc(g->members, g->room * sizeof(tw_incident *));
    }
    inc->group_place = g->used;
    g->members[g->used++] = inc;
    g->count++;
    g->queued += inc->queued;
    inc->group = g;
}

static void drop(tw_group *g, tw_incident *inc)
{
    tw_group_queue(inc, false);
    g->members[inc->group_place] = NULL;
    g->count--;
    inc->group = NULL;
}

/* Those that were muted while they waited are told when that is over, if they still fire. */
static void drop_muted(tw_group *g, int64_t at_ms)
{
    uint32_t i = 0;

    for (tw_incident *inc; (inc = tw_group_next(g, &i));) {
        if (!inc->queued)
            continue;
        tw_marks_update(inc, at_ms);
        if (!tw_incident_is_muted(inc))
            continue;
        tw_group_queue(inc, false);
        tw_wait_by(&inc->tell, inc->muted_until_ms);
        if (!inc->announced)
            drop(g, inc);
    }
}

/* ---- telling ----------------------------------------------------------------------- */

static void end(tw_group *g, int64_t at_ms)
{
    bool tells = g->announced && json_array_size(g->resolved) > 0;

    if (tells)
        tw_note_send(g->in, tw_group_note(g, at_ms, true, TW_TELL_NOTHING));
    tw_map_remove(g->in->groups, g->key);
}

/* The group as it stands is told; it may be over afterwards. */
static void flush(tw_group *g, tw_telling what, int64_t at_ms)
{
    drop_muted(g, at_ms);
    if (g->count == 0) {
        end(g, at_ms);
        return;
    }
    tw_notification *n = tw_group_note(g, at_ms, false, what);
    tw_storm *storm = tw_storm_takes(g->in, g->rule, n, what);
    uint32_t i = 0;
    for (tw_incident *inc; (inc = tw_group_next(g, &i));) {
        if (storm)
            tw_storm_stand_for(storm, inc, at_ms);
        tw_tell_done(inc, at_ms, !storm);
    }
    if (g->first_ms == TW_TIME_NONE)
        g->first_ms = at_ms;
    g->announced = g->announced || !storm;
    g->changed = false;
    json_array_clear(g->resolved);
    int64_t remind_ms = g->rule->incident.remind_ms;
    g->remind_ms = remind_ms > 0 ? at_ms + remind_ms : TW_WAIT_NEVER;
    set_due(g, at_ms + 1);
    if (storm)
        tw_notification_unref(n);
    else
        tw_note_send(g->in, n);
}

static bool is_quiet(const tw_group *g)
{
    uint32_t i = 0;

    for (const tw_incident *inc; (inc = tw_group_next(g, &i));)
        if (!tw_incident_is_muted(inc) && !(inc->marks & TW_MARK_ACKNOWLEDGED))
            return false;
    return true;
}

/* A reminder is due; one that nobody may hear is left out. */
static void remind(tw_group *g, int64_t at_ms)
{
    if (!is_quiet(g)) {
        flush(g, TW_TELL_REMIND, at_ms);
        return;
    }
    int64_t every_ms = g->rule->incident.remind_ms;
    g->remind_ms = every_ms > 0 ? g->remind_ms + every_ms : TW_WAIT_NEVER;
    set_due(g, at_ms + 1);
}

/* What was to be told may have been muted meanwhile; then there may be nothing. */
static void on_due(void *self, int64_t at_ms)
{
    tw_group *g = self;
    uint32_t i = 0;

    drop_muted(g, at_ms);
    /* a fall is what a storm does not count */
    tw_telling what = g->queued > 0 ? TW_TELL_OPEN : TW_TELL_FALL;
    for (tw_incident *inc; (inc = tw_group_next(g, &i));)
        if (!inc->queued)
            tw_marks_update(inc, at_ms);
    if (g->count == 0 || g->first_ms == TW_TIME_NONE || has_news(g))
        flush(g, what, at_ms);
    else if (g->remind_ms <= at_ms)
        remind(g, at_ms);
    else
        set_due(g, at_ms + 1);
}

/* ---- coming and going -------------------------------------------------------------- */

tw_group *tw_group_new(tw_incidents *in, tw_rule *rule, char *name, char *key)
{
    tw_group *g = tw_alloc(sizeof *g);

    *g = (tw_group){.in = in,
                    .key = key,
                    .name = name,
                    .rule = tw_rule_ref(rule),
                    .first_ms = TW_TIME_NONE,
                    .wait_until_ms = TW_WAIT_NEVER,
                    .remind_ms = TW_WAIT_NEVER};
    tw_wait_init(&g->due, tw_courses_get(in->courses, rule->name), TW_WAIT_GROUP, g->key,
                 on_due, g);
    tw_map_put(in->groups, key, g);
    return g;
}

static tw_group *open_group(tw_incident *inc, json_t *labels, char *name, char *key)
{
    tw_group *g = tw_group_new(inc->in, inc->rule, name, key);

    g->route = tw_strdup(inc->route ? inc->route : "");
    g->labels = labels;
    g->resolved = json_array();
    g->opened_ms = inc->opened_ms;
    return g;
}

static tw_group *group_of(tw_incident *inc, int64_t at_ms)
{
    const tw_group_plan *plan = &inc->rule->incident.group;
    json_t *labels = tw_note_label_values(inc->labels, plan->by, plan->by_count);
    char *name = tw_note_name(inc->rule, "group", labels, plan->by, plan->by_count);
    char *key = tw_asprintf("%s\n%s", name, inc->route ? inc->route : "");
    tw_group *g;

    while ((g = tw_map_get(inc->in->groups, key)) && g->due.at_ms < at_ms) {
        int64_t due_ms = g->due.at_ms;
        tw_wait_set(&g->due, TW_WAIT_NEVER);
        on_due(g, due_ms);
    }
    if (!g)
        return open_group(inc, labels, name, key);
    json_decref(labels);
    tw_free(name);
    tw_free(key);
    return g;
}

void tw_group_take(tw_incident *inc, tw_telling what, int64_t at_ms)
{
    const tw_group_plan *plan = &inc->rule->incident.group;
    tw_group *g = inc->group ? inc->group : group_of(inc, at_ms);

    if (!inc->group)
        tw_group_add(g, inc);
    if (g->rule != inc->rule) {
        tw_rule_unref(g->rule);
        g->rule = tw_rule_ref(inc->rule);
    }
    g->highest = inc->level > g->highest ? inc->level : g->highest;
    if (what == TW_TELL_RISE && g->first_ms != TW_TIME_NONE) {
        flush(g, what, at_ms);
        return;
    }
    if (what == TW_TELL_OPEN || what == TW_TELL_AGAIN)
        tw_group_queue(inc, true);
    else
        g->changed = true;
    if (g->first_ms == TW_TIME_NONE && g->wait_until_ms == TW_WAIT_NEVER) {
        int64_t until_ms = inc->want_ms + plan->wait_ms;
        g->wait_until_ms = until_ms > at_ms ? until_ms : at_ms;
    }
    set_due(g, at_ms);
}

void tw_group_leave(tw_incident *inc, int64_t at_ms, bool ended)
{
    tw_group *g = inc->group;

    tw_group_queue(inc, false);
    if (!ended && inc->announced) {
        set_due(g, at_ms);
        return;
    }
    if (ended && inc->announced && !inc->rule->incident.keeps_resolve)
        json_array_append_new(g->resolved, tw_group_member_json(inc));
    drop(g, inc);
    if (g->count == 0)
        end(g, at_ms);
    else
        set_due(g, at_ms);
}

void tw_group_rule_moved(tw_incidents *in, const char *old, tw_rule *now)
{
    tw_course *course = tw_courses_get(in->courses, now->name);
    const char *key;
    void *value;

    for (size_t i = 0; tw_map_next(in->groups, &i, &key, &value);) {
        tw_group *g = value;
        if (strcmp(g->rule->name, old) != 0)
            continue;
        tw_wait_move(&g->due, course);
        g->told_as = g->told_as ? g->told_as : tw_strdup(old);
        tw_rule_unref(g->rule);
        g->rule = tw_rule_ref(now);
    }
}

void tw_group_rule_edited(tw_incidents *in, tw_rule *now)
{
    const char *key;
    void *value;

    for (size_t i = 0; tw_map_next(in->groups, &i, &key, &value);) {
        tw_group *g = value;
        if (g->rule == now || strcmp(g->rule->name, now->name) != 0)
            continue;
        tw_rule_unref(g->rule);
        g->rule = tw_rule_ref(now);
    }
}

void tw_groups_at_once(tw_incidents *in, int64_t at_ms)
{
    const char *key;
    void *value;

    for (size_t i = 0; tw_map_next(in->groups, &i, &key, &value);) {
        tw_group *g = value;
        if (has_news(g))
            on_due(g, at_ms);
    }
}
