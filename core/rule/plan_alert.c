// SPDX-License-Identifier: Apache-2.0
/* `alert = incident { ... }`. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

#define MAX_LABELS 64
#define MIN_REMIND_MS 1000

typedef struct incident_options {
    const char *id, *route, *title, *body;
    const tw_tree *labels;
    const tw_tree *when;
    int severity, notify;
    bool resolved;
    int64_t remind_ms, max_age_ms;
    const tw_tree *table; /* plan_incident.c reads it */
} incident_options;

static const char *const severities[] = {"info", "warn", "crit", NULL};
static const char *const modes[] = {"up", "changes", "first", NULL};

#define AT(field) offsetof(incident_options, field)
static const tw_option incident_table[] = {
    {"id", TW_OPTION_TEXT, AT(id), 0, 0, NULL},
    {"severity", TW_OPTION_CHOICE, AT(severity), 0, 0, severities},
    {"route", TW_OPTION_TEXT, AT(route), 0, 0, NULL},
    {"title", TW_OPTION_TEXT, AT(title), 0, 0, NULL},
    {"body", TW_OPTION_TEXT, AT(body), 0, 0, NULL},
    {"labels", TW_OPTION_TABLE, AT(labels), 0, 0, NULL},
    {"when", TW_OPTION_ANY, AT(when), 0, 0, NULL},
    {"notify", TW_OPTION_CHOICE, AT(notify), 0, 0, modes},
    {"resolved", TW_OPTION_FLAG, AT(resolved), 0, 0, NULL},
    {"remind", TW_OPTION_DURATION, AT(remind_ms), 1, 0, NULL},
    {"max_age", TW_OPTION_DURATION, AT(max_age_ms), 1, 0, NULL},
    {"resolve", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {"group", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {"inhibited_by", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {"storm", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {"flap", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {"active", TW_OPTION_ANY, AT(table), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* ---- incident ---------------------------------------------------------------------- */

static void default_id(tw_compiler *c)
{
    const tw_rule *r = c->rule;
    tw_buf text;

    tw_buf_init(&text, TW_TREE_BYTES);
    tw_buf_add_str(&text, r->name);
    for (uint32_t i = 0; i < r->key_count; i++)
        tw_buf_printf(&text, ":${%s}", r->key_names[i]);
    tw_compile_template(c, c->body, text.data, &c->rule->incident.id);
    tw_buf_done(&text);
}

/* Whether a matcher, the key, an aggregate or a function of the rule's file reads the field, too. */
static bool is_read_by(tw_compiler *c, const tw_input *in, uint32_t input,
                       const char *path)
{
    const tw_rule *r = c->rule;
    int slot = in->stream ? tw_fields_slot(in->stream->fields, path, NULL) : -1;
    uint32_t *slots = NULL, count = 0;
    bool found = slot >= 0 && in->time_slot == (uint32_t)slot;

    tw_match_table_slots(in->match, &slots, &count);
    for (uint32_t i = 0; i < r->level.agg_count; i++) {
        const tw_aggregate *agg = &r->level.aggs[i];
        if (agg->input != input)
            continue;
        tw_match_table_slots(agg->match, &slots, &count);
        found = found || (agg->has_field && agg->slot == (uint32_t)slot) ||
                (agg->has_second && agg->second == (uint32_t)slot);
    }
    for (uint32_t i = 0; i < count && slot >= 0; i++)
        found = found || slots[i] == (uint32_t)slot;
    for (uint32_t i = 0; r->reads && i < r->reads[input].count && slot >= 0; i++)
        found = found || r->reads[input].slots[i] == (uint32_t)slot;
    tw_free(slots);
    return found;
}

static bool is_read_by_functions(tw_compiler *c, const char *path)
{
    uint32_t count = 0;
    size_t top = strcspn(path, ".[");
    bool found = false;
    char **fields = tw_locate_fields(&c->source->tokens, &count);

    for (uint32_t i = 0; i < count; i++) {
        found = found || strcmp(fields[i], path) == 0 ||
                (strlen(fields[i]) == top && strncmp(fields[i], path, top) == 0);
        tw_free(fields[i]);
    }
    tw_free(fields);
    return found;
}

typedef struct name_list {
    const char **items;
    size_t count;
} name_list;

static void add_names(tw_compiler *c, name_list *l, const char *const *names,
                      size_t count)
{
    const char **more = tw_arena_alloc(c->arena, (l->count + count + 1) * sizeof *more);

    for (size_t i = 0; i < l->count + count; i++)
        more[i] = i < l->count ? l->items[i] : names[i - l->count];
    *l = (name_list){more, l->count + count};
}

/* The fields that matchers of the input read. */
static void add_matched(tw_compiler *c, name_list *l, const tw_input *in)
{
    uint32_t *slots = NULL, count = 0;

    tw_match_table_slots(in->match, &slots, &count);
    for (uint32_t i = 0; i < count; i++) {
        const tw_field *field = tw_fields_at(in->stream->fields, slots[i]);
        const char *path = field ? field->path : NULL;
        if (path)
            add_names(c, l, &path, 1);
    }
    tw_free(slots);
}

/* What the writer of a path may have meant: what was found, the key, a look-up, a field that matchers read. */
static const char *path_hint(tw_compiler *c, const char *path)
{
    static const char *const own[] = {"level", "start", "stop", "count", "warming_until"};
    const tw_rule *r = c->rule;
    name_list plain = {0}, whole = {0};
    size_t top = strcspn(path, ".[");

    add_names(c, &plain, (const char *const *)r->key_names, r->key_count);
    add_names(c, &plain, (const char *const *)r->level.value_names, r->level.value_count);
    add_names(c, &plain, (const char *const *)r->facts, r->fact_count);
    add_names(c, &plain, own, sizeof own / sizeof *own);
    for (uint32_t i = 0; path[top] && i < r->role_count; i++)
        add_names(c, &plain, (const char *const *)&r->roles[i].name, 1);
    for (uint32_t i = 0; path[top] && i < r->lookup_count; i++)
        add_names(c, &plain, (const char *const *)&r->lookups[i].name, 1);
    for (uint32_t i = 0; i < r->input_count; i++)
        if (r->inputs[i].stream)
            add_matched(c, &whole, &r->inputs[i]);
    const char *hint = tw_compile_hint(c, tw_arena_strndup(c->arena, path, top),
                                       plain.items, plain.count);
    return *hint ? hint : tw_compile_hint(c, path, whole.items, whole.count);
}

/* Of part i: a field that nothing of the rule reads but this text; NULL: it is none. */
static const char *read_here_alone(tw_compiler *c, const tw_template *t, uint32_t i)
{
    const tw_rule *r = c->rule;

    if (t->parts[i].kind != TW_PART_FIELD)
        return NULL;
    const char *path = r->carried[t->parts[i].index];
    for (uint32_t k = 0; k < r->input_count; k++)
        if (is_read_by(c, &r->inputs[k], k, path))
            return NULL;
    return is_read_by_functions(c, path) ? NULL : path;
}

/* A misspelt path is a field that no event has: all keys would share one incident. */
static void check_id(tw_compiler *c, const tw_tree *at)
{
    const tw_template *id = &c->rule->incident.id;

    for (uint32_t i = 0; i < id->count; i++) {
        const char *path = read_here_alone(c, id, i);
        if (path)
            tw_compile_warn(
                c, at,
                "id: '%s' is neither in the key nor anything else that the rule "
                "reads%s; where the newest event has no such field the id is "
                "without it, and keys share one incident",
                path, path_hint(c, path));
    }
}

/* Any field of an event may stand in a text; one that is nearly another name rarely does. */
void tw_compile_check_text(tw_compiler *c, const tw_tree *at, const tw_template *text)
{
    for (uint32_t i = 0; i < text->count; i++) {
        const char *path = read_here_alone(c, text, i);
        const char *hint = path ? path_hint(c, path) : "";
        if (*hint)
            tw_compile_warn(c, at,
                            "'%s' is read as a field of the event%s; where the event has "
                            "no such field the text has a hole",
                            path, hint);
    }
}

static bool takes(const char *pattern, const char *route)
{
    size_t n = strcspn(pattern, "*");

    return pattern[n] ? strncmp(route, pattern, n) == 0 : strcmp(route, pattern) == 0;
}

/* A route that only `default` takes may well be meant so; not when it is nearly another. */
static void check_near_route(tw_compiler *c, const tw_tree *at, const char *route)
{
    const char *const *patterns = c->options->route_patterns;
    size_t count = 0;

    for (; patterns && patterns[count]; count++)
        if (takes(patterns[count], route))
            return;
    const char *hint = tw_compile_hint(c, route, patterns, count);
    if (*hint)
        tw_compile_warn(c, at, "there is no route '%s', so `default` takes it%s", route,
                        hint);
}

static void check_route(tw_compiler *c, const tw_tree *at, const tw_template *route)
{
    const char *const *routes = c->options->routes;
    size_t count = 0;

    if (route->count != 1 || route->parts[0].kind != TW_PART_LITERAL)
        return;
    if (!routes) {
        check_near_route(c, at, route->parts[0].text);
        return;
    }
    for (; routes[count]; count++)
        if (strcmp(routes[count], route->parts[0].text) == 0)
            return;
    tw_compile_say(
        c, at,
        "there is no route '%s'%s; add it under `routes:` of the configuration, "
        "or a `default`",
        route->parts[0].text, tw_compile_hint(c, route->parts[0].text, routes, count));
}

static bool is_label_name(const char *s)
{
    if ((*s < 'a' || *s > 'z') && (*s < 'A' || *s > 'Z') && *s != '_')
        return false;
    for (; *s; s++)
        if ((*s < 'a' || *s > 'z') && (*s < 'A' || *s > 'Z') && (*s < '0' || *s > '9') &&
            *s != '_')
            return false;
    return true;
}

static void compile_label(tw_compiler *c, const tw_tree_entry *e, tw_label *label)
{
    const tw_tree *v = tw_compile_value(c, e->value);
    tw_value value;
    tw_buf text;

    label->name = tw_strdup(e->key);
    if (!is_label_name(e->key))
        tw_compile_say(c, e->value,
                       "'%s' is not a label: letters, digits and _, no digit first",
                       e->key);
    if (v->type == TW_TREE_NULL || !tw_compile_scalar(v, &value)) {
        tw_compile_say(c, e->value,
                       "label '%s' is a string, a number or true or false, not %s",
                       e->key, tw_tree_name(v));
        return;
    }
    tw_buf_init(&text, TW_TREE_BYTES);
    tw_value_write_text(value, &text);
    if (tw_compile_template(c, e->value, text.data, &label->value))
        tw_compile_check_text(c, e->value, &label->value);
    tw_buf_done(&text);
}

static void compile_labels(tw_compiler *c, const tw_tree *labels)
{
    tw_incident_plan *plan = &c->rule->incident;

    tw_options_no_items(c, labels, "labels");
    if (labels->entry_count > MAX_LABELS) {
        tw_compile_say(c, labels, "an incident may have %d labels", MAX_LABELS);
        return;
    }
    plan->labels = tw_calloc(labels->entry_count + 1, sizeof *plan->labels);
    for (uint32_t i = 0; i < labels->entry_count; i++)
        compile_label(c, &labels->entries[i], &plan->labels[plan->label_count++]);
}

static bool compile_text(tw_compiler *c, const tw_tree *at, const char *text,
                         tw_template *out)
{
    bool good = tw_compile_template(c, at, text, out);

    if (good)
        tw_compile_check_text(c, at, out);
    return good;
}

static void compile_texts(tw_compiler *c, const tw_tree *table, const incident_options *o)
{
    tw_incident_plan *plan = &c->rule->incident;

    if (o->id && tw_compile_template(c, tw_tree_get(table, "id"), o->id, &plan->id))
        check_id(c, tw_tree_get(table, "id"));
    else if (!o->id)
        default_id(c);
    if (o->title)
        plan->has_title =
            compile_text(c, tw_tree_get(table, "title"), o->title, &plan->title);
    if (o->body)
        plan->has_body =
            compile_text(c, tw_tree_get(table, "body"), o->body, &plan->body);
    if (!o->route)
        return;
    plan->has_route =
        compile_text(c, tw_tree_get(table, "route"), o->route, &plan->route);
    if (plan->has_route)
        check_route(c, tw_tree_get(table, "route"), &plan->route);
}

/* A function, or the verdicts of an impact. */
static void compile_when(tw_compiler *c, const tw_tree *when)
{
    const tw_tree *v = tw_compile_value(c, when);
    bool has_verdicts = c->rule->detector == TW_DETECT_IMPACT;

    if (v->type == TW_TREE_FUNCTION)
        c->rule->incident.when_fn = v->fn;
    else if (v->type == TW_TREE_STRING && has_verdicts)
        tw_compile_verdicts(c, when, v->text);
    else if (!tw_compile_is_told(v))
        tw_compile_say(c, when, "when is a function%s, not %s",
                       has_verdicts ? " or verdicts like \"not better\"" : "",
                       tw_tree_name(v));
}

void tw_compile_alert(tw_compiler *c, const tw_tree *word)
{
    tw_incident_plan *plan = &c->rule->incident;
    incident_options o = {.severity = 2, .resolved = true};

    if (!tw_tree_is_word(word, "incident")) {
        tw_compile_say(c, word, "alert is incident { ... }, not %s", tw_tree_name(word));
        return;
    }
    const tw_tree *table = word->item_count == 1 ? word->items[0] : word;
    if (table->type != TW_TREE_TABLE) {
        tw_compile_say(c, word, "incident takes a table: incident { title = \"...\" }");
        return;
    }
    tw_options_no_items(c, table, "incident");
    tw_options_read(c, table, "incident", incident_table, &o);
    plan->set = true;
    plan->severity = (tw_level)(o.severity + TW_LEVEL_INFO);
    if (o.when)
        compile_when(c, o.when);
    plan->notify = (tw_notify_mode)o.notify;
    plan->keeps_resolve = !o.resolved;
    plan->remind_ms = o.remind_ms;
    if (o.remind_ms > 0 && o.remind_ms < MIN_REMIND_MS)
        tw_compile_say(c, tw_tree_get(table, "remind"), "remind is at least a second");
    plan->max_age_ms = o.max_age_ms;
    if (tw_tree_get(table, "severity") && c->rule->detector == TW_DETECT_LEVEL)
        tw_compile_warn(
            c, tw_tree_get(table, "severity"),
            "severity has no effect here: the incident of a level detector has the "
            "level that fires");
    compile_texts(c, table, &o);
    if (o.labels)
        compile_labels(c, o.labels);
    tw_compile_lifecycle(c, table);
}
