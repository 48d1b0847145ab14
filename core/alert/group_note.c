// SPDX-License-Identifier: Apache-2.0
/* What a group says: its members, the labels they have in common, and the words of the one
 * or how many there are. Shore thread only. */
#include <string.h>

#include "alert/group_impl.h"
#include "base/mem.h"

#define MOST_CHANGED 20 /* members whose changes are shown */
#define MAX_EVIDENCE 100
#define MAX_LISTED 1000

json_t *tw_group_member_json(const tw_incident *inc)
{
    tw_level level = inc->level == TW_LEVEL_OK ? inc->highest : inc->level;

    return json_pack("{s:s, s:s, s:s, s:O, s:I}", "incident", inc->id, "level",
                     tw_level_name(level), "title", inc->title ? inc->title : "",
                     "labels", inc->labels, "since", (json_int_t)inc->opened_ms);
}

/* Takes out of `common` what the labels of a member do not share. */
static void keep_common(json_t *common, const json_t *labels)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(common, next, name, value)
    {
        if (!json_equal(value, json_object_get(labels, name)))
            json_object_del(common, name);
    }
}

static json_t *common_labels(const tw_group *g)
{
    uint32_t place = 0;
    const tw_incident *inc = tw_group_next(g, &place);
    json_t *first = json_array_get(g->resolved, 0);
    json_t *common = json_copy(inc ? inc->labels : json_object_get(first, "labels"));
    size_t i;
    json_t *member;

    for (; inc && json_object_size(common) > 0; inc = tw_group_next(g, &place))
        keep_common(common, inc->labels);
    json_array_foreach(g->resolved, i, member)
    {
        if (json_object_size(common) == 0)
            break;
        keep_common(common, json_object_get(member, "labels"));
    }
    return common;
}

static json_t *evidence_of(const tw_group *g)
{
    json_t *all = json_array();
    size_t k;
    json_t *item;

    uint32_t i = 0;
    for (const tw_incident *inc; (inc = tw_group_next(g, &i));) {
        json_array_foreach(inc->evidence, k, item)
        {
            if (json_array_size(all) == MAX_EVIDENCE)
                return all;
            json_array_append(all, item);
        }
    }
    return all;
}

/* Of the first few: of a hundred thousand others the newest changes are those of everybody. */
static json_t *changes_of(const tw_group *g, int64_t at_ms)
{
    json_t *all = json_array();
    uint32_t i = 0, n = 0;

    for (const tw_incident *inc; n < MOST_CHANGED && (inc = tw_group_next(g, &i)); n++)
        tw_incident_add_changes(inc, at_ms, all);
    if (json_array_size(all) > 0)
        return all;
    json_decref(all);
    return NULL;
}

static char *title_of(const tw_group *g, const json_t *members, size_t count)
{
    const char *first =
        json_string_value(json_object_get(json_array_get(members, 0), "title"));

    return count == 1 ? tw_strdup(first)
                      : tw_asprintf("%zu of %s: %s", count, g->rule->name, first);
}

/* Those that came first: with a hundred thousand a notification would be larger than anybody takes. */
static json_t *list_firing(const tw_group *g)
{
    json_t *list = json_array();
    uint32_t i = 0;

    for (const tw_incident *inc;
         json_array_size(list) < MAX_LISTED && (inc = tw_group_next(g, &i));)
        json_array_append_new(list, tw_group_member_json(inc));
    return list;
}

static json_t *list_resolved(const tw_group *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(g->resolved) && i < MAX_LISTED; i++)
        json_array_append(list, json_array_get(g->resolved, i));
    return list;
}

static json_t *members_json(const tw_group *g, json_t *firing, json_t *resolved)
{
    size_t listed = json_array_size(firing) + json_array_size(resolved);
    size_t all = g->count + json_array_size(g->resolved);
    json_t *group = json_pack("{s:O, s:o, s:o}", "labels", g->labels, "firing", firing,
                              "resolved", resolved);

    if (all > listed)
        json_object_set_new(group, "unlisted", json_integer((json_int_t)(all - listed)));
    return group;
}

static void set_flags(const tw_group *g, tw_notification *n)
{
    uint32_t i = 0;

    for (const tw_incident *inc; (inc = tw_group_next(g, &i));) {
        n->level = inc->level > n->level ? inc->level : n->level;
        n->flapping = n->flapping || inc->marks & TW_MARK_FLAPPING;
    }
}

tw_notification *tw_group_note(const tw_group *g, int64_t at_ms, bool resolved,
                               tw_telling what)
{
    tw_notification *n =
        tw_note_new(g->in, g->rule, g->name, g->opened_ms, at_ms, resolved);
    json_t *firing = list_firing(g), *gone = list_resolved(g);
    size_t count = resolved ? json_array_size(g->resolved) : g->count;
    uint32_t place = 0;
    const tw_incident *only = g->count == 1 ? tw_group_next(g, &place) : NULL;

    tw_note_told_as(n, g->told_as);
    set_flags(g, n);
    n->level = resolved ? g->highest : n->level;
    tw_note_identify(n, g->highest, !resolved && g->first_ms != TW_TIME_NONE);
    n->route = tw_strdup(g->route);
    n->title = title_of(g, resolved ? gone : firing, count);
    n->body = tw_strdup(only ? only->body : "");
    n->values = only ? json_incref(only->values) : json_object();
    n->enrich = only ? json_incref(only->enrich) : NULL;
    n->evidence = evidence_of(g);
    n->changes = changes_of(g, at_ms);
    n->labels = common_labels(g);
    n->stands_for = count;
    n->reminder = what == TW_TELL_REMIND;
    n->group = members_json(g, firing, gone);
    return n;
}
