// SPDX-License-Identifier: Apache-2.0
/* What a group says: its members, the labels they have in common, and the words of the one
 * or how many there are. Shore thread only. */
#include <string.h>

#include "alert/group_impl.h"
#include "base/mem.h"

#define MAX_EVIDENCE 100

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

static json_t *common_labels(const json_t *firing, const json_t *resolved)
{
    const json_t *some = json_array_size(firing) ? firing : resolved;
    json_t *common = json_copy(json_object_get(json_array_get(some, 0), "labels"));
    size_t i;
    json_t *member;

    json_array_foreach(firing, i, member)
        keep_common(common, json_object_get(member, "labels"));
    json_array_foreach(resolved, i, member)
        keep_common(common, json_object_get(member, "labels"));
    return common;
}

static json_t *evidence_of(const tw_group *g)
{
    json_t *all = json_array();
    size_t k;
    json_t *item;

    for (uint32_t i = 0; i < g->count; i++) {
        json_array_foreach(g->members[i]->evidence, k, item)
        {
            if (json_array_size(all) < MAX_EVIDENCE)
                json_array_append(all, item);
        }
    }
    return all;
}

static char *title_of(const tw_group *g, const json_t *members)
{
    const char *first =
        json_string_value(json_object_get(json_array_get(members, 0), "title"));
    size_t count = json_array_size(members);

    return count == 1 ? tw_strdup(first)
                      : tw_asprintf("%zu of %s: %s", count, g->rule->name, first);
}

static void set_flags(const tw_group *g, tw_notification *n)
{
    for (uint32_t i = 0; i < g->count; i++) {
        const tw_incident *inc = g->members[i];
        n->level = inc->level > n->level ? inc->level : n->level;
        n->flapping = n->flapping || inc->marks & TW_MARK_FLAPPING;
    }
}

tw_notification *tw_group_note(const tw_group *g, int64_t at_ms, bool resolved,
                               tw_telling what)
{
    tw_notification *n =
        tw_note_new(g->in, g->rule, g->name, g->opened_ms, at_ms, resolved);
    tw_note_told_as(n, g->told_as);
    json_t *firing = json_array();

    for (uint32_t i = 0; i < g->count; i++)
        json_array_append_new(firing, tw_group_member_json(g->members[i]));
    const json_t *told = resolved ? g->resolved : firing;
    set_flags(g, n);
    n->level = resolved ? g->highest : n->level;
    tw_note_identify(n, g->highest, !resolved && g->first_ms != TW_TIME_NONE);
    n->route = tw_strdup(g->route);
    n->title = title_of(g, told);
    n->body = tw_strdup(g->count == 1 ? g->members[0]->body : "");
    n->values = g->count == 1 ? json_incref(g->members[0]->values) : json_object();
    n->enrich = g->count == 1 ? json_incref(g->members[0]->enrich) : NULL;
    n->evidence = evidence_of(g);
    n->labels = common_labels(firing, g->resolved);
    n->stands_for = json_array_size(told);
    n->reminder = what == TW_TELL_REMIND;
    n->group = json_pack("{s:O, s:o, s:o}", "labels", g->labels, "firing", firing,
                         "resolved", json_copy(g->resolved));
    return n;
}
