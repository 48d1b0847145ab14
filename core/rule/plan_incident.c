// SPDX-License-Identifier: Apache-2.0
/* When an incident ends and when a person is told of it: the options of `incident { ... }` behind
 * its texts. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

#define HOUR_MS (3600 * INT64_C(1000))
#define MAX_COUNT 1000000

static const char *const levels[] = {"info", "warn", "crit", NULL};

/* ---- what they share ------------------------------------------------------------------- */

static const tw_tree *table_of(tw_compiler *c, const tw_tree *table, const char *name,
                               const tw_option *options, void *out)
{
    const tw_tree *t = tw_tree_get(table, name);

    if (!t)
        return NULL;
    if (t->type != TW_TREE_TABLE) {
        tw_compile_say(c, t, "%s is a table, not %s", name, tw_tree_name(t));
        return NULL;
    }
    tw_options_no_items(c, t, name);
    return tw_options_read(c, t, name, options, out) ? t : NULL;
}

/* `by = { "rack", "zone" }` or one name. Names of labels: the key's fields and `labels`. */
static void read_labels(tw_compiler *c, const tw_tree *list, const char *what,
                        char ***out, uint32_t *out_count)
{
    if (!list)
        return;
    const tw_tree *one = tw_compile_value(c, list);
    bool is_list = one->type == TW_TREE_TABLE && one->entry_count == 0;
    uint32_t count = is_list ? one->item_count : 1;

    *out = tw_calloc(count + 1, sizeof **out);
    for (uint32_t i = 0; i < count; i++) {
        const tw_tree *name = is_list ? one->items[i] : one;
        if (name->type != TW_TREE_STRING)
            tw_compile_say(c, name, "%s is a list of labels: { \"zone\" }, not %s", what,
                           tw_tree_name(name));
        else
            (*out)[(*out_count)++] = tw_strdup(name->text);
    }
}

/* A label that none of the rule's incidents has puts all of them into one. */
static void check_labels(tw_compiler *c, const tw_tree *at, const char *what,
                         char *const *names, uint32_t count)
{
    const tw_rule *r = c->rule;

    for (uint32_t i = 0; i < count; i++) {
        bool known = strcmp(names[i], "severity") == 0 || strcmp(names[i], "rule") == 0;
        for (uint32_t k = 0; k < r->key_count; k++)
            known = known || strcmp(r->key_names[k], names[i]) == 0;
        for (uint32_t k = 0; k < r->incident.label_count; k++)
            known = known || strcmp(r->incident.labels[k].name, names[i]) == 0;
        if (!known && r->detector != TW_DETECT_HANDLER) /* ctx.fire may bring labels */
            tw_compile_warn(c, at,
                            "%s: no incident of this rule has a label '%s': it is "
                            "neither in the key nor among its labels",
                            what, names[i]);
    }
}

static void need(tw_compiler *c, const tw_tree *table, const char *what,
                 const char *option, const char *example)
{
    if (!tw_tree_get(table, option))
        tw_compile_say(c, table, "%s needs %s", what, example);
}

/* ---- resolve --------------------------------------------------------------------------- */

typedef struct resolve_options {
    const tw_tree *on, *after;
    int from;
} resolve_options;

static const char *const froms[] = {"newest", "first", NULL};
#define AT(field) offsetof(resolve_options, field)
static const tw_option resolve_table[] = {
    {"on", TW_OPTION_ANY, AT(on), 0, 0, NULL},
    {"after", TW_OPTION_ANY, AT(after), 0, 0, NULL},
    {"from", TW_OPTION_CHOICE, AT(from), 0, 0, froms},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* Whether the detector is told of the input at all: a name in its table. A handler is told of
 * every event. */
static bool names_input(const tw_tree *t, const char *name)
{
    bool found = t->type == TW_TREE_STRING && strcmp(t->text, name) == 0;

    for (uint32_t i = 0; i < t->item_count && !found; i++)
        found = names_input(t->items[i], name);
    for (uint32_t i = 0; i < t->entry_count && !found; i++)
        found = names_input(t->entries[i].value, name);
    return found;
}

static bool has_levels(const tw_rule *r)
{
    return r->detector == TW_DETECT_LEVEL || r->detector == TW_DETECT_CHANGE ||
           r->detector == TW_DETECT_MISSING;
}

static void compile_after(tw_compiler *c, const tw_tree *given)
{
    tw_incident_plan *plan = &c->rule->incident;
    const tw_tree *after = tw_compile_value(c, given);

    if (has_levels(c->rule))
        tw_compile_say(c, given,
                       "resolve.after is for detectors that tell occurrences; this one "
                       "says by itself when it is over");
    else if (after->type == TW_TREE_BOOL && !after->b)
        plan->resolve_after_ms = TW_AFTER_NEVER;
    else if (tw_compile_duration(c, after, "after", &plan->resolve_after_ms) &&
             plan->resolve_after_ms <= 0)
        tw_compile_say(c, given, "after must be longer than zero, or false for never");
}

static void add_on(tw_compiler *c, const tw_tree *name)
{
    tw_incident_plan *plan = &c->rule->incident;
    const tw_tree *detect = tw_tree_get(c->body, "detect");
    int input = tw_compile_input_number(c, name, name);

    if (input < 0)
        return;
    plan->resolve_inputs |= UINT64_C(1) << input;
    if (c->rule->detector != TW_DETECT_HANDLER &&
        !names_input(detect, c->rule->inputs[input].name))
        plan->resolve_only |= UINT64_C(1) << input;
}

static void compile_on(tw_compiler *c, const tw_tree *on)
{
    if (on->type != TW_TREE_TABLE) {
        add_on(c, on);
        return;
    }
    if (on->item_count == 0)
        tw_compile_say(c, on,
                       "resolve.on is an input, or a list of them: { \"a\", \"b\" }");
    for (uint32_t i = 0; i < on->item_count; i++)
        add_on(c, on->items[i]);
}

static void compile_resolve(tw_compiler *c, const tw_tree *table)
{
    tw_incident_plan *plan = &c->rule->incident;
    resolve_options o = {0};
    const tw_tree *t = table_of(c, table, "resolve", resolve_table, &o);

    if (!t)
        return;
    if (o.after)
        compile_after(c, o.after);
    plan->resolve_from_first = o.from == 1;
    if (o.from == 1 && plan->resolve_after_ms == TW_AFTER_NEVER)
        tw_compile_say(c, tw_tree_get(t, "from"),
                       "from says what `after` counts from, "
                       "and after is false");
    if (o.on)
        compile_on(c, tw_compile_value(c, o.on));
}

/* ---- flap, group, storm ---------------------------------------------------------------- */

typedef struct flap_options {
    int64_t max, within_ms, calm_ms;
} flap_options;

#define AT(field) offsetof(flap_options, field)
static const tw_option flap_table[] = {
    {"max", TW_OPTION_WHOLE, AT(max), 1, 1000, NULL},
    {"within", TW_OPTION_DURATION, AT(within_ms), 1, 0, NULL},
    {"calm", TW_OPTION_DURATION, AT(calm_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void compile_flap(tw_compiler *c, const tw_tree *table)
{
    flap_options o = {0};
    const tw_tree *t = table_of(c, table, "flap", flap_table, &o);

    if (!t)
        return;
    need(c, t, "flap", "max", "max: how many changes of level are too many (max = 4)");
    need(c, t, "flap", "within",
         "within: the time they are counted in (within = \"10m\")");
    c->rule->incident.flap =
        (tw_flap_plan){.set = true,
                       .max = (uint32_t)o.max,
                       .within_ms = o.within_ms,
                       .calm_ms = o.calm_ms > 0 ? o.calm_ms : o.within_ms / 2};
}

typedef struct group_options {
    const tw_tree *by;
    int64_t wait_ms, interval_ms;
} group_options;

#define AT(field) offsetof(group_options, field)
static const tw_option group_table[] = {
    {"by", TW_OPTION_ANY, AT(by), 0, 0, NULL},
    {"wait", TW_OPTION_DURATION, AT(wait_ms), 0, 0, NULL},
    {"interval", TW_OPTION_DURATION, AT(interval_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void compile_group(tw_compiler *c, const tw_tree *table)
{
    tw_group_plan *plan = &c->rule->incident.group;
    group_options o = {.wait_ms = 30 * 1000, .interval_ms = 5 * 60 * 1000};
    const tw_tree *t = table_of(c, table, "group", group_table, &o);

    if (!t)
        return;
    *plan =
        (tw_group_plan){.set = true, .wait_ms = o.wait_ms, .interval_ms = o.interval_ms};
    read_labels(c, o.by, "by", &plan->by, &plan->by_count);
    check_labels(c, o.by ? o.by : t, "group.by", plan->by, plan->by_count);
}

typedef struct storm_options {
    const tw_tree *by;
    int64_t max, per_ms;
    int rest;
} storm_options;

static const char *const rests[] = {"summary", "drop", NULL};
#define AT(field) offsetof(storm_options, field)
static const tw_option storm_table[] = {
    {"max", TW_OPTION_WHOLE, AT(max), 0, MAX_COUNT, NULL},
    {"per", TW_OPTION_DURATION, AT(per_ms), 1, 0, NULL},
    {"rest", TW_OPTION_CHOICE, AT(rest), 0, 0, rests},
    {"by", TW_OPTION_ANY, AT(by), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void compile_storm(tw_compiler *c, const tw_tree *table)
{
    tw_storm_plan *plan = &c->rule->incident.storm;
    storm_options o = {0};
    const tw_tree *t = table_of(c, table, "storm", storm_table, &o);

    if (!t)
        return;
    need(c, t, "storm", "max", "max: how many are told singly (max = 20)");
    need(c, t, "storm", "per", "per: the time they are counted in (per = \"5m\")");
    *plan = (tw_storm_plan){
        .set = true, .drop = o.rest == 1, .max = (uint32_t)o.max, .per_ms = o.per_ms};
    read_labels(c, o.by, "by", &plan->by, &plan->by_count);
    check_labels(c, o.by ? o.by : t, "storm.by", plan->by, plan->by_count);
}

/* ---- inhibited_by ---------------------------------------------------------------------- */

typedef struct inhibitor_options {
    const char *rule;
    const tw_tree *match, *equal;
    int level;
    int64_t wait_ms;
} inhibitor_options;

#define AT(field) offsetof(inhibitor_options, field)
static const tw_option inhibitor_table[] = {
    {"rule", TW_OPTION_TEXT, AT(rule), 0, 0, NULL},
    {"match", TW_OPTION_TABLE, AT(match), 0, 0, NULL},
    {"level", TW_OPTION_CHOICE, AT(level), 0, 0, levels},
    {"equal", TW_OPTION_ANY, AT(equal), 0, 0, NULL},
    {"wait", TW_OPTION_DURATION, AT(wait_ms), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static void compile_match(tw_compiler *c, const tw_tree *match, tw_inhibitor *out)
{
    tw_options_no_items(c, match, "match");
    out->match = tw_calloc(match->entry_count + 1, sizeof *out->match);
    for (uint32_t i = 0; i < match->entry_count; i++) {
        const tw_tree *v = tw_compile_value(c, match->entries[i].value);
        tw_value value;
        tw_buf text;
        if (v->type == TW_TREE_NULL || !tw_compile_scalar(v, &value)) {
            tw_compile_say(c, match->entries[i].value,
                           "match: label '%s' is a string, a number or true or false, "
                           "not %s",
                           match->entries[i].key, tw_tree_name(v));
            continue;
        }
        tw_buf_init(&text, TW_TREE_BYTES);
        tw_value_write_text(value, &text);
        out->match[out->match_count++] =
            (tw_label_is){tw_strdup(match->entries[i].key), tw_buf_take(&text, NULL)};
    }
}

static void compile_inhibitor(tw_compiler *c, const tw_tree *t, tw_inhibitor *out)
{
    tw_incident_plan *plan = &c->rule->incident;
    inhibitor_options o = {0};

    if (t->type != TW_TREE_TABLE) {
        tw_compile_say(c, t,
                       "inhibited_by is { rule = \"team/name\", equal = { ... } } or a "
                       "list of such, not %s",
                       tw_tree_name(t));
        return;
    }
    tw_options_no_items(c, t, "inhibited_by");
    bool all_known = tw_options_read(c, t, "inhibited_by", inhibitor_table, &o);
    if (all_known && !o.rule == !o.match)
        tw_compile_say(c, t,
                       "inhibited_by needs either rule = \"team/name\" or match = { "
                       "severity = \"crit\" }");
    out->rule = tw_strdup(o.rule);
    out->level = (tw_level)(o.level + TW_LEVEL_INFO);
    out->wait_ms = o.wait_ms;
    if (o.match)
        compile_match(c, o.match, out);
    read_labels(c, o.equal, "equal", &out->equal, &out->equal_count);
    check_labels(c, o.equal ? o.equal : t, "equal", out->equal, out->equal_count);
    if (o.wait_ms > plan->inhibit_wait_ms)
        plan->inhibit_wait_ms = o.wait_ms;
    tw_compile_place(c, t, &out->line, &out->column);
}

static void compile_inhibitors(tw_compiler *c, const tw_tree *table)
{
    tw_incident_plan *plan = &c->rule->incident;
    const tw_tree *t = tw_tree_get(table, "inhibited_by");

    if (!t)
        return;
    bool is_list = t->type == TW_TREE_TABLE && t->item_count > 0 && t->entry_count == 0;
    uint32_t count = is_list ? t->item_count : 1;
    plan->inhibitors = tw_calloc(count, sizeof *plan->inhibitors);
    plan->inhibitor_count = count;
    for (uint32_t i = 0; i < count; i++)
        compile_inhibitor(c, is_list ? t->items[i] : t, &plan->inhibitors[i]);
}

/* ---- active ---------------------------------------------------------------------------- */

typedef struct active_options {
    const char *days, *hours, *zone;
} active_options;

#define AT(field) offsetof(active_options, field)
static const tw_option active_table[] = {
    {"days", TW_OPTION_TEXT, AT(days), 0, 0, NULL},
    {"hours", TW_OPTION_TEXT, AT(hours), 0, 0, NULL},
    {"zone", TW_OPTION_TEXT, AT(zone), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

static bool parse_hours(const char *text, tw_active_plan *plan, tw_err *err)
{
    const char *dash = strchr(text, '-');

    if (!dash) {
        tw_err_set(err, TW_EPARSE, "hours are \"08:00-18:00\"");
        return false;
    }
    char *from = tw_strndup(text, (size_t)(dash - text));
    bool good = tw_daytime_parse(from, &plan->from_ms, err) == TW_OK &&
                tw_daytime_parse(dash + 1, &plan->to_ms, err) == TW_OK;
    tw_free(from);
    if (good && plan->from_ms == plan->to_ms) {
        tw_err_set(err, TW_EINVAL, "hours begin and end at the same time");
        good = false;
    }
    return good;
}

static void compile_active(tw_compiler *c, const tw_tree *table)
{
    tw_active_plan *plan = &c->rule->incident.active;
    active_options o = {0};
    const tw_tree *t = table_of(c, table, "active", active_table, &o);
    tw_err err = {0};

    if (!t)
        return;
    if (!o.days && !o.hours)
        tw_compile_say(c, t,
                       "active needs days = \"mon-fri\" or hours = \"08:00-18:00\"");
    *plan = (tw_active_plan){.set = true, .days = TW_ALL_DAYS, .to_ms = 24 * HOUR_MS};
    if (o.days && tw_days_parse(o.days, &plan->days, &err) < 0)
        tw_compile_say(c, tw_tree_get(t, "days"), "%s", err.text);
    if (o.hours && !parse_hours(o.hours, plan, &err))
        tw_compile_say(c, tw_tree_get(t, "hours"), "%s", err.text);
    if (o.zone && !(plan->zone = tw_zone_open(o.zone, &err)))
        tw_compile_say(c, tw_tree_get(t, "zone"), "%s", err.text);
}

/* ---- all of it ------------------------------------------------------------------------- */

void tw_compile_lifecycle(tw_compiler *c, const tw_tree *table)
{
    compile_resolve(c, table);
    compile_flap(c, table);
    compile_inhibitors(c, table);
    compile_group(c, table);
    compile_storm(c, table);
    compile_active(c, table);
}
