// SPDX-License-Identifier: Apache-2.0
#include "changes.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "detect/detector.h"

static json_t *row_of(const tw_rule *r, const char *change)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "rule", r->name, "change", change, "file",
                     r->file, "line", r->line);
}

static const tw_rule_part *find_part(const tw_rule *r, const char *name)
{
    for (uint32_t i = 0; i < r->part_count; i++)
        if (strcmp(r->parts[i].name, name) == 0)
            return &r->parts[i];
    return NULL;
}

/* The options of the rule's table that one has and the other has not, or has otherwise. */
static json_t *edited_parts(const tw_rule *fresh, const tw_rule *old)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < fresh->part_count; i++) {
        const tw_rule_part *was = find_part(old, fresh->parts[i].name);
        if (!was || was->hash != fresh->parts[i].hash)
            json_array_append_new(list, json_string(fresh->parts[i].name));
    }
    for (uint32_t i = 0; i < old->part_count; i++)
        if (!find_part(fresh, old->parts[i].name))
            json_array_append_new(list, json_string(old->parts[i].name));
    if (json_array_size(list) == 0) /* a function that it calls */
        json_array_append_new(list, json_string("functions of the file"));
    return list;
}

/* Those of which the value is another, or that one of the two has not. */
static json_t *edited_params(const tw_rule *fresh, const tw_rule *old)
{
    json_t *edited = json_object(), *value, *other;
    const char *name;

    json_object_foreach(fresh->params, name, value)
    {
        other = json_object_get(old->params, name);
        if (!other || !json_equal(value, other))
            json_object_set_new(edited, name, json_pack("[O?, O]", other, value));
    }
    json_object_foreach(old->params, name, value)
    {
        if (!json_object_get(fresh->params, name))
            json_object_set_new(edited, name, json_pack("[O, n]", value));
    }
    return edited;
}

/* Takes the value; an empty one is left out. */
static void set_some(json_t *row, const char *name, json_t *value)
{
    if (json_object_size(value) + json_array_size(value) > 0)
        json_object_set(row, name, value);
    json_decref(value);
}

static json_t *compare(const tw_rule *fresh, const tw_rule *old)
{
    tw_edit edit;
    bool moved = strcmp(fresh->name, old->name) != 0;

    if (strcmp(fresh->hash, old->hash) == 0)
        return row_of(fresh, "unchanged");
    json_t *row = row_of(fresh, moved ? "moved" : "changed");
    tw_fate fate = tw_rule_fate(fresh, old, &edit);
    json_object_set_new(row, "parts", edited_parts(fresh, old));
    set_some(row, "params", edited_params(fresh, old));
    json_object_set_new(row, "state", json_string(tw_fate_name(fate)));
    json_object_set_new(row, "why", json_string(edit.why));
    if (edit.warming_ms > 0)
        json_object_set_new(row, "warming_ms", json_integer(edit.warming_ms));
    if (moved)
        json_object_set_new(row, "was", json_string(old->name));
    return row;
}

/* What the lists are walked with. */
typedef struct walk {
    const tw_rule_files *fresh;
    const tw_ruleset *running;
    const tw_park *park;
    int64_t now_ms;
    const tw_changes_port *port;
    json_t *list;
} walk;

static void set_state(json_t *row, const char *state, const char *why)
{
    json_object_set_new(row, "state", json_string(state));
    json_object_set_new(row, "why", json_string(why));
}

/* A rule that would begin with nothing may find what it knew before it was gone. */
static void add_revival(const walk *w, const tw_rule *now, json_t *row)
{
    char why[128], text[256], since[32];
    const tw_parked *p =
        w->park ? tw_park_find(w->park, now, w->now_ms, why, sizeof why) : NULL;

    if (!p)
        return;
    tw_duration_format((w->now_ms - p->since_ms) / 1000 * 1000, since, sizeof since);
    snprintf(text, sizeof text, "parked %s ago; %s", since, why);
    set_state(row, "revived", text);
}

/* An edit that makes it cold may be rolled back. */
static void add_parking(json_t *row, const tw_rule *old)
{
    const char *reason = json_string_value(json_object_get(row, "why"));
    char why[128], text[512], span[32];

    if (!tw_park_would_take(old, why, sizeof why))
        return;
    tw_duration_format(old->park_ms, span, sizeof span);
    snprintf(text, sizeof text, "%s; what it knew is parked for %s", reason, span);
    set_state(row, "cold", text);
}

static void set_counts(const walk *w, json_t *row, uint32_t number)
{
    const char *change = json_string_value(json_object_get(row, "change"));
    json_t *open =
        strcmp(change, "unchanged") == 0 ? NULL : w->port->open(w->port->self, number);

    json_object_set_new(row, "keys",
                        json_integer((json_int_t)w->port->keys(w->port->self, number)));
    if (open)
        json_object_set_new(row, "open", open);
}

/* What happens at the moment it is taken over. fresh NULL: it goes. */
static void add_effects(const walk *w, json_t *row, uint32_t number, const tw_rule *fresh)
{
    const char *change = json_string_value(json_object_get(row, "change"));
    const char *state = json_string_value(json_object_get(row, "state"));
    tw_due due = {0};

    if (strcmp(change, "unchanged") == 0)
        return;
    bool goes = !fresh || strcmp(state, "cold") == 0 || strcmp(state, "revived") == 0;
    if (!goes)
        w->port->due(w->port->self, number, fresh, &due);
    if (due.fires + due.ends > 0)
        json_object_set_new(row, "due",
                            json_pack("{s:I, s:I}", "fires", (json_int_t)due.fires,
                                      "ends", (json_int_t)due.ends));
    if (goes || strcmp(change, "moved") == 0)
        set_some(row, "ending",
                 w->port->ending(w->port->self, number, goes ? NULL : fresh));
}

static void add_rule(const walk *w, const tw_rule *now)
{
    int64_t before = w->running ? tw_ruleset_before(w->running, now) : -1;
    json_t *row =
        before < 0 ? row_of(now, "added") : compare(now, w->running->rules[before]);
    const char *state = json_string_value(json_object_get(row, "state"));

    bool cold = state && strcmp(state, "cold") == 0;

    if (cold)
        add_parking(row, w->running->rules[before]);
    if (before < 0 || cold)
        add_revival(w, now, row);
    if (before >= 0) {
        set_counts(w, row, (uint32_t)before);
        add_effects(w, row, (uint32_t)before, now);
    }
    json_array_append_new(w->list, row);
}

static bool has_heir(const walk *w, uint32_t number)
{
    for (uint32_t i = 0; i < tw_rule_files_rule_count(w->fresh); i++)
        if (tw_ruleset_before(w->running, tw_rule_files_rule(w->fresh, i)) == number)
            return true;
    return false;
}

static void add_removed(const walk *w, uint32_t number)
{
    if (has_heir(w, number))
        return;
    const tw_rule *old = w->running->rules[number];
    json_t *row = row_of(old, "removed");
    char why[128], text[256], span[32];

    if (tw_park_would_take(old, why, sizeof why)) {
        tw_duration_format(old->park_ms, span, sizeof span);
        snprintf(text, sizeof text, "for %s; what it has open resolves", span);
        set_state(row, "parked", text);
    } else {
        set_state(row, "dropped", "what it has open resolves");
    }
    set_counts(w, row, number);
    add_effects(w, row, number, NULL);
    json_array_append_new(w->list, row);
}

/* Both lists are sorted by name. */
json_t *tw_changes_json(const tw_rule_files *fresh, const tw_ruleset *running,
                        const tw_park *park, int64_t now_ms, const tw_changes_port *port)
{
    uint32_t count = tw_rule_files_rule_count(fresh),
             old_count = running ? running->rule_count : 0;
    walk w = {fresh, running, park, now_ms, port, json_array()};

    for (uint32_t i = 0, k = 0; i < count || k < old_count;) {
        const tw_rule *now = i < count ? tw_rule_files_rule(fresh, i) : NULL;
        const tw_rule *old = k < old_count ? running->rules[k] : NULL;
        int order = !now ? 1 : !old ? -1 : strcmp(now->name, old->name);
        if (order <= 0)
            add_rule(&w, now);
        else
            add_removed(&w, k);
        i += order <= 0;
        k += order >= 0;
    }
    return w.list;
}
