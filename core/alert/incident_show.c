// SPDX-License-Identifier: Apache-2.0
/* The open incidents as JSON, for people and views. Shore thread only. */
#include "alert/incident_impl.h"

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

static json_t *incident_json(const tw_incident *inc)
{
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:O, s:s, s:s, s:o?, s:o, s:b, s:s?}", "incident",
        inc->id, "rule", inc->rule->name, "level", tw_level_name(inc->level), "since",
        (json_int_t)inc->opened_ms, "occurrences", (json_int_t)inc->occurrences, "labels",
        inc->labels, "title", inc->title ? inc->title : "", "route",
        inc->route ? inc->route : "", "values",
        inc->values ? json_incref(inc->values) : NULL, "marks", marks_json(inc), "told",
        inc->announced, "acknowledged_by", inc->acked_by);
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
