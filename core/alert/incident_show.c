// SPDX-License-Identifier: Apache-2.0
/* The open incidents as JSON, for people and views. Shore thread only. */
#include "alert/incident_impl.h"
#include "base/mem.h"

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
