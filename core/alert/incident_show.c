// SPDX-License-Identifier: Apache-2.0
/* The open incidents as JSON, for people and views, and why nobody is told of one. Shore thread only. */
#include <string.h>

#include "alert/incident_impl.h"
#include "base/mem.h"
#include "base/nearest.h"

static json_t *marks_json(const tw_incident *inc)
{
    static const struct {
        unsigned mark;
        const char *name;
    } names[] = {{TW_MARK_INHIBITED, "inhibited"},
                 {TW_MARK_SILENCED, "silenced"},
                 {TW_MARK_INACTIVE, "inactive"},
                 {TW_MARK_FLAPPING, "flapping"},
                 {TW_MARK_ACKNOWLEDGED, "acknowledged"}};
    json_t *marks = json_array();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (inc->marks & names[i].mark)
            json_array_append_new(marks, json_string(names[i].name));
    return marks;
}

/* ---- what holds it back ------------------------------------------------------------ */

/* by may be NULL; until_ms TW_WAIT_NEVER: nobody knows. */
static void add_hold(json_t *list, const char *why, const char *by, int64_t until_ms)
{
    json_t *hold = json_pack("{s:s, s:s*}", "why", why, "by", by);

    if (until_ms != TW_WAIT_NEVER)
        json_object_set_new(hold, "until", json_integer((json_int_t)until_ms));
    json_array_append_new(list, hold);
}

/* The mark is set when the rule's time has come there, so a silence is also looked for by the time of the day. */
static void add_silence(json_t *list, const tw_incident *inc)
{
    const tw_incidents_options *o = &inc->in->options;
    int64_t until_ms = TW_WAIT_NEVER;
    const char *id = NULL;

    if (o->now)
        id = tw_quiet_silence_of(inc, tw_clock_now_ms(o->now), &until_ms);
    if (id || inc->marks & TW_MARK_SILENCED)
        add_hold(list, "silenced", id, id ? until_ms : inc->muted_until_ms);
}

/* Told, but to nobody by itself. */
static void add_record(json_t *list, const tw_incident *inc)
{
    if (inc->aged)
        add_hold(list, "max_age", NULL, TW_WAIT_NEVER);
    else if (inc->storm && !inc->announced)
        add_hold(list, "storm", tw_storm_name(inc->storm), TW_WAIT_NEVER);
    else if (inc->told != TW_LEVEL_OK && !inc->announced &&
             !(inc->marks & TW_MARK_ACKNOWLEDGED))
        add_hold(list, "storm", NULL, TW_WAIT_NEVER); /* rest = "drop" */
}

static json_t *holds_json(const tw_incident *inc)
{
    json_t *list = json_array();

    if (inc->marks & TW_MARK_INHIBITED)
        add_hold(list, "inhibited", tw_marks_inhibitor_of(inc), TW_WAIT_NEVER);
    add_silence(list, inc);
    if (inc->marks & TW_MARK_INACTIVE)
        add_hold(list, "inactive", NULL, inc->muted_until_ms);
    if (inc->queued)
        add_hold(list, "grouped", tw_group_name(inc->group), tw_group_due_ms(inc->group));
    else if (inc->want_ms != TW_TIME_NONE && json_array_size(list) == 0)
        add_hold(list, "pending", NULL, inc->tell.at_ms);
    add_record(list, inc);
    return list;
}

/* ---- all of it --------------------------------------------------------------------- */

static json_t *incident_json(const tw_incident *inc)
{
    json_t *told = inc->announced && inc->told != TW_LEVEL_OK
                       ? json_string(tw_level_name(inc->told))
                       : NULL;

    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:O, s:s, s:s, s:o?, s:o, s:b, s:o*, s:o, s:s?, s:s*}",
        "incident", inc->id, "rule", inc->rule->name, "level", tw_level_name(inc->level),
        "since", (json_int_t)inc->opened_ms, "occurrences", (json_int_t)inc->occurrences,
        "labels", inc->labels, "title", inc->title ? inc->title : "", "route",
        inc->route ? inc->route : "", "values",
        inc->values ? json_incref(inc->values) : NULL, "marks", marks_json(inc), "told",
        inc->announced, "told_level", told, "held", holds_json(inc), "acknowledged_by",
        inc->acked_by, "group", inc->group ? tw_group_name(inc->group) : NULL);
}

json_t *tw_incidents_json(const tw_incidents *in)
{
    const tw_incident **all = tw_calloc(tw_map_count(in->by_id) + 1, sizeof *all);
    json_t *list = json_array();
    size_t count = 0;
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);)
        all[count++] = value;
    while (count-- > 0)
        json_array_append_new(list, incident_json(all[count]));
    tw_free(all);
    return list;
}

json_t *tw_incidents_label_names(const tw_incidents *in)
{
    json_t *names = json_object(), *text;
    const char *id, *name;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        json_object_foreach(((const tw_incident *)value)->labels, name, text)
        {
            if (!json_object_get(names, name))
                json_object_set_new(names, name, json_true());
        }
    }
    return names;
}

const char *tw_incident_near(const tw_incidents *in, const char *id)
{
    size_t most =
        tw_map_count(in->by_id) + tw_map_count(in->groups) + tw_map_count(in->storms);
    size_t count = 0;
    const char **ids = tw_calloc(most + 1, sizeof *ids), *each, *found = NULL;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &each, &value);)
        ids[count++] = each;
    for (size_t i = 0; tw_map_next(in->groups, &i, &each, &value);)
        ids[count++] = tw_group_name(value);
    for (size_t i = 0; tw_map_next(in->storms, &i, &each, &value);)
        ids[count++] = each;
    for (size_t i = 0; *id && !found && i < count; i++)
        found = strstr(ids[i], id) ? ids[i] : NULL;
    if (!found)
        found = tw_nearest(id, ids, count);
    tw_free(ids);
    return found;
}
