// SPDX-License-Identifier: Apache-2.0
/* The rule itself: its name, its parameters, its clock, and the order in which its parts are compiled
 * (inputs before what reads them, the detector before the templates that show what it found). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

#define HOUR_MS INT64_C(3600000)

typedef struct rule_options {
    const char *owner, *version, *doc;
    const tw_tree *params, *key, *clock, *inputs, *detect, *enrich, *alert, *emit, *dedup,
        *was, *park;
    int64_t forget_ms, max_keys;
    int migrate_fn;
} rule_options;

/* Where options belong that do not stand in the rule's own table. */
static const char *const in_to[] = {"emit: to \"stream\" { throttle = ... }", NULL};
static const char *const in_incident[] = {"alert = incident { ... }", NULL};
static const char *const in_enrich[] = {"enrich = { name = ... }", NULL};
static const char *const in_clock[] = {"clock = { ... }", NULL};

#define AT(field) offsetof(rule_options, field)
static const tw_option rule_table[] = {
    {"owner", TW_OPTION_TEXT, AT(owner), 0, 0, NULL},
    {"version", TW_OPTION_TEXT, AT(version), 0, 0, NULL},
    {"doc", TW_OPTION_TEXT, AT(doc), 0, 0, NULL},
    {"params", TW_OPTION_TABLE, AT(params), 0, 0, NULL},
    {"key", TW_OPTION_ANY, AT(key), 0, 0, NULL},
    {"clock", TW_OPTION_TABLE, AT(clock), 0, 0, NULL},
    {"inputs", TW_OPTION_ANY, AT(inputs), 0, 0, NULL},
    {"detect", TW_OPTION_ANY, AT(detect), 0, 0, NULL},
    {"enrich", TW_OPTION_ANY, AT(enrich), 0, 0, NULL},
    {"alert", TW_OPTION_ANY, AT(alert), 0, 0, NULL},
    {"forget", TW_OPTION_DURATION, AT(forget_ms), 1, 0, NULL},
    {"max_keys", TW_OPTION_WHOLE, AT(max_keys), 1, 100000000, NULL},
    {"emit", TW_OPTION_ANY, AT(emit), 0, 0, NULL},
    {"dedup", TW_OPTION_ANY, AT(dedup), 0, 0, NULL},
    {"was", TW_OPTION_ANY, AT(was), 0, 0, NULL},
    {"migrate", TW_OPTION_FUNCTION, AT(migrate_fn), 0, 0, NULL},
    {"throttle", TW_OPTION_ELSEWHERE, 0, 0, 0, in_to},
    {"active", TW_OPTION_ELSEWHERE, 0, 0, 0, in_incident},
    {"title", TW_OPTION_ELSEWHERE, 0, 0, 0, in_incident},
    {"route", TW_OPTION_ELSEWHERE, 0, 0, 0, in_incident},
    {"severity", TW_OPTION_ELSEWHERE, 0, 0, 0, in_incident},
    {"context", TW_OPTION_ELSEWHERE, 0, 0, 0, in_enrich},
    {"lookup", TW_OPTION_ELSEWHERE, 0, 0, 0, in_enrich},
    {"lateness", TW_OPTION_ELSEWHERE, 0, 0, 0, in_clock},
    {"future", TW_OPTION_ELSEWHERE, 0, 0, 0, in_clock},
    {"park", TW_OPTION_ANY, AT(park), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct clock_options {
    const char *time;
    int64_t lateness_ms, idle_ms, future_ms;
} clock_options;

#define AT(field) offsetof(clock_options, field)
static const tw_option clock_table[] = {
    {"time", TW_OPTION_TEXT, AT(time), 0, 0, NULL},
    {"lateness", TW_OPTION_DURATION, AT(lateness_ms), 0, 0, NULL},
    {"idle", TW_OPTION_DURATION, AT(idle_ms), 1, 0, NULL},
    {"future", TW_OPTION_DURATION, AT(future_ms), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* ---- parameters -------------------------------------------------------------------- */

static tw_tree *override_tree(tw_compiler *c, const tw_tree *fallback, json_t *v)
{
    tw_tree *t = tw_arena_alloc(c->arena, sizeof *t);
    *t = *fallback;
    if (json_is_string(v)) {
        t->size = json_string_length(v);
        t->text = tw_arena_strndup(c->arena, json_string_value(v), t->size);
    } else if (json_is_boolean(v)) {
        t->b = json_is_true(v);
    } else if (json_is_integer(v)) {
        t->type = TW_TREE_INT;
        t->i = json_integer_value(v);
    } else {
        t->type = TW_TREE_NUMBER;
        t->d = json_real_value(v);
    }
    return t;
}

static bool same_kind(const tw_tree *fallback, const json_t *v)
{
    double d;
    if (fallback->type == TW_TREE_STRING)
        return json_is_string(v);
    if (fallback->type == TW_TREE_BOOL)
        return json_is_boolean(v);
    return tw_tree_number(fallback, &d) && json_is_number(v);
}

/* An override is of the configuration, and told there when it is known where. */
static void say_override(tw_compiler *c, const tw_tree *at, const char *param,
                         const char *text)
{
    const tw_rule_options *o = c->options;
    tw_err err = {0};

    if (!o->where || !o->where(o->where_self, NULL, c->rule->name, param, &err)) {
        tw_compile_say(c, at, "%s", text);
        return;
    }
    tw_err_at(&err, TW_EINVAL, tw_arena_strndup(c->arena, err.file, strlen(err.file)),
              err.line, err.column, "%s: %s", c->rule->name, text);
    tw_findings_add(c->findings, &err, false);
    c->mistakes++;
}

static void override_type(tw_compiler *c, const tw_tree_entry *e)
{
    char text[512];

    snprintf(text, sizeof text,
             "parameter '%.100s' is overridden by a value of another type; its default "
             "is %s",
             e->key, tw_tree_name(e->value));
    say_override(c, e->value, e->key, text);
}

static void override_name(tw_compiler *c, const tw_tree *at, const char *name,
                          const char *hint)
{
    char text[512];

    snprintf(text, sizeof text,
             "an override names the parameter '%.100s', which the rule does not have%s",
             name, hint);
    say_override(c, at, name, text);
}

static void add_param(tw_compiler *c, tw_tree_entry *e, json_t *overrides)
{
    json_t *override = json_object_get(overrides, e->key);
    double d;

    if (e->value->type != TW_TREE_STRING && e->value->type != TW_TREE_BOOL &&
        !tw_tree_number(e->value, &d)) {
        tw_compile_say(c, e->value,
                       "parameter '%s' is a string, a number or true or false, "
                       "not %s",
                       e->key, tw_tree_name(e->value));
        return;
    }
    if (override && same_kind(e->value, override))
        e->value = override_tree(c, e->value, override);
    else if (override)
        override_type(c, e);
    json_object_set_new(c->rule->params, e->key, tw_compile_json(e->value));
}

static void check_overrides(tw_compiler *c, json_t *overrides, const tw_tree *at)
{
    const char *name;
    json_t *value;
    size_t count = c->params ? c->params->entry_count : 0;
    const char **names = tw_arena_alloc(c->arena, (count + 1) * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = c->params->entries[i].key;
    json_object_foreach(overrides, name, value)
    {
        if (!tw_tree_get(c->params, name))
            override_name(c, at, name, tw_compile_hint(c, name, names, count));
    }
}

/* The parameters are read first: every other option may name one. */
static void compile_params(tw_compiler *c, tw_tree *params)
{
    json_t *overrides = json_object_get(c->options->params, c->rule->name);

    c->rule->params = json_object();
    if (params && params->type == TW_TREE_TABLE) {
        c->params = params;
        tw_options_no_items(c, params, "params");
        for (uint32_t i = 0; i < params->entry_count; i++)
            add_param(c, &params->entries[i], overrides);
    }
    check_overrides(c, overrides, params ? params : c->body);
}

/* ---- the parts --------------------------------------------------------------------- */

static clock_options compile_clock(tw_compiler *c, const tw_tree *clock)
{
    clock_options o = {.lateness_ms = c->rule->lateness_ms,
                       .idle_ms = c->rule->idle_ms,
                       .future_ms = c->rule->future_ms};
    if (clock) {
        tw_options_no_items(c, clock, "clock");
        tw_options_read(c, clock, "clock", clock_table, &o);
    }
    c->rule->lateness_ms = o.lateness_ms;
    c->rule->idle_ms = o.idle_ms;
    c->rule->future_ms = o.future_ms;
    return o;
}

int64_t tw_compile_longest_span(const tw_rule *r)
{
    int64_t longest = 0;

    if (r->detector != TW_DETECT_LEVEL && r->detector != TW_DETECT_MEASURE)
        return r->span_ms > r->incident.resolve_after_ms ? r->span_ms
                                                         : r->incident.resolve_after_ms;
    longest = r->level.window.over_ms * (r->level.window.prev ? 2 : 1);
    longest = r->level.window.gap_ms > longest ? r->level.window.gap_ms : longest;
    longest = r->level.window.max_ms > longest ? r->level.window.max_ms : longest;
    for (int i = TW_LEVEL_INFO; i < TW_LEVELS; i++) {
        const tw_level_spec *s = &r->level.levels[i];
        longest = s->hold_ms > longest ? s->hold_ms : longest;
        longest = s->clear_hold_ms > longest ? s->clear_hold_ms : longest;
    }
    return r->level.nodata_after_ms > longest ? r->level.nodata_after_ms : longest;
}

/* Without a detector each event that matches goes out; nothing is kept of it, so it needs no key. */
static void compile_pass(tw_compiler *c, const rule_options *o)
{
    tw_rule *r = c->rule;

    r->detector = TW_DETECT_PASS;
    if (o->key)
        tw_compile_key(c, o->key);
    else
        r->key_slots = tw_calloc(1, sizeof *r->key_slots);
    if (o->alert)
        tw_compile_say(c, o->alert,
                       "an alert needs detect = level { ... } or another detector");
}

static void compile_parts(tw_compiler *c, const rule_options *o, bool all_known)
{
    tw_rule *r = c->rule;
    clock_options clock = compile_clock(c, o->clock);

    r->owner = tw_strdup(o->owner);
    r->version = tw_strdup(o->version);
    r->doc = tw_strdup(o->doc);
    r->max_keys = (uint32_t)o->max_keys;
    if (o->was)
        tw_compile_was(c, o->was);
    if (o->park)
        tw_compile_park(c, o->park);
    if (o->inputs || all_known)
        tw_compile_inputs(c, o->inputs, clock.time);
    bool passes = o->emit && !o->detect && all_known;
    if (!passes &&
        (o->key || all_known)) /* else what is not known may be meant to be it */
        tw_compile_key(c, o->key);
    if (passes)
        compile_pass(c, o);
    else if (o->detect || all_known)
        tw_compile_detect(c, o->detect);
    if (o->migrate_fn != TW_NO_FN)
        tw_compile_migrate(c, o->migrate_fn);
    if (o->dedup)
        tw_compile_dedup(c, o->dedup);
    if (o->enrich)
        tw_compile_enrich(c, o->enrich);
    if (o->alert && !passes)
        tw_compile_alert(c, o->alert);
    if (o->emit)
        tw_compile_emit(c, o->emit);
    if (!o->alert && !o->emit && all_known)
        tw_compile_say(c, c->body,
                       "nothing comes of the rule: it needs alert = incident { ... } or "
                       "emit = to \"stream\" { ... }");
    tw_compile_carried(c);
    r->forget_ms = o->forget_ms > 0 ? o->forget_ms : tw_compile_longest_span(r) + HOUR_MS;
}

/* The table of `rule "name" { ... }`, or NULL with a finding. */
static tw_tree *rule_body(tw_compiler *c, tw_tree *rule)
{
    if (rule->item_count < 1 || rule->items[0]->type != TW_TREE_STRING) {
        tw_compile_say(c, rule,
                       "rule takes a name and a table: rule \"team/name\" { ... }");
        return NULL;
    }
    if (!tw_compile_is_rule_name(rule->items[0]))
        tw_compile_say(c, rule,
                       "'%.*s' is not a rule name: team/name of letters, digits, _ - and "
                       ".",
                       TW_MAX_RULE_NAME, rule->items[0]->text);
    if (rule->item_count != 2 || rule->items[1]->type != TW_TREE_TABLE) {
        tw_compile_say(c, rule, "rule \"%.*s\" is without its table { ... }",
                       TW_MAX_RULE_NAME, rule->items[0]->text);
        return NULL;
    }
    rule->items[1]->spot = rule->spot;
    return rule->items[1];
}

tw_rule *tw_compile_rule(tw_compiler *c, tw_tree *rule)
{
    size_t mistakes = c->mistakes;
    rule_options o = {.migrate_fn = TW_NO_FN};
    tw_tree *body = rule_body(c, rule);

    if (!body)
        return NULL;
    c->rule = tw_rule_new();
    c->rule->name = tw_strdup(rule->items[0]->text);
    c->rule->file = tw_strdup(c->source->path);
    c->rule->line = rule->line;
    c->body = body;
    c->params = NULL;
    c->shaping = NULL;
    c->keeps = c->keeps_for_functions = false;
    o.max_keys = c->rule->max_keys;
    compile_params(c, (tw_tree *)(uintptr_t)tw_tree_get(body, "params"));
    tw_options_no_items(c, body, "rule");
    bool all_known = tw_options_read(c, body, "rule", rule_table, &o);
    compile_parts(c, &o, all_known);
    if (c->mistakes == mistakes) {
        tw_compile_hashes(c);
        return c->rule;
    }
    tw_rule_unref(c->rule);
    c->rule = NULL;
    return NULL;
}
