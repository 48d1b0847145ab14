// SPDX-License-Identifier: Apache-2.0
/* What people do to incidents over HTTP: silences and acknowledgements. What a silence says is held against the
 * labels and rules that there are, since a misspelt one would be found out by the pager. Shore thread. */
#include <string.h>

#include "alert/matchers.h"
#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"

/* out: what is answered when it went well; NULL: only that it did. */
static tw_control_reply answer(int rc, const tw_err *err, json_t *out)
{
    if (rc == TW_OK)
        return (tw_control_reply){200, out ? out : json_pack("{s:b}", "ok", 1)};
    return (tw_control_reply){rc == TW_ENOTFOUND ? 404 : 422,
                              json_pack("{s:s}", "error", err->text)};
}

static const char *member(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    return text ? text : "";
}

/* ---- the labels there are ---------------------------------------------------------- */

static void add_name(json_t *names, const char *name)
{
    json_object_set_new(names, name, json_true());
}

/* Those of open incidents, and those that incidents of the rules will have. */
static json_t *label_names(const tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    json_t *names = tw_incidents_label_names(app->incidents);

    add_name(names, "severity");
    add_name(names, "rule");
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const tw_rule *r = set->rules[i];
        for (uint32_t k = 0; r->incident.set && k < r->key_count; k++)
            add_name(names, r->key_names[k]);
        for (uint32_t k = 0; k < r->incident.label_count; k++)
            add_name(names, r->incident.labels[k].name);
    }
    return names;
}

/* Handlers fire with labels of their own making. */
static bool any_handler(const tw_ruleset *set)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (set->rules[i]->detector == TW_DETECT_HANDLER)
            return true;
    }
    return false;
}

static const char *near_member(const json_t *object, const char *name)
{
    const char **list = tw_calloc(json_object_size(object) + 1, sizeof *list), *each;
    size_t count = 0;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, each, value) list[count++] = each;
    const char *near = tw_nearest(name, list, count);
    tw_free(list);
    return near;
}

static void add_warning(json_t *warnings, const char *text, const char *near)
{
    json_array_append_new(warnings,
                          near ? json_sprintf("%s (did you mean '%s'?)", text, near)
                               : json_string(text));
}

static void look_at_label(const tw_app *app, const json_t *names, const char *name,
                          json_t *warnings)
{
    const char *near = json_object_get(names, name) ? NULL : near_member(names, name);

    if (json_object_get(names, name) ||
        (!near && any_handler(tw_engine_rules(app->engine))))
        return;
    char *text = tw_asprintf("no open incident and no rule has a label '%s'", name);
    add_warning(warnings, text, near);
    tw_free(text);
}

/* ---- the rules there are ----------------------------------------------------------- */

static const char *near_rule(const tw_ruleset *set, const char *name)
{
    const char **list = tw_calloc(set->rule_count + 1, sizeof *list);

    for (uint32_t i = 0; i < set->rule_count; i++)
        list[i] = set->rules[i]->name;
    const char *near = tw_nearest(name, list, set->rule_count);
    tw_free(list);
    return near;
}

/* An old name of a rule becomes its own. */
static void follow_rule(const tw_app *app, tw_label_matcher *m, json_t *warnings)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);

    if (m->pattern || tw_ruleset_find(set, m->value) >= 0)
        return;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (!tw_rule_was(set->rules[i], m->value))
            continue;
        char *text = tw_asprintf("the rule '%s' is '%s' now; the silence is for that",
                                 m->value, set->rules[i]->name);
        add_warning(warnings, text, NULL);
        tw_free(text);
        tw_free(m->value);
        m->value = tw_strdup(set->rules[i]->name);
        return;
    }
    char *text = tw_asprintf("there is no rule '%s'", m->value);
    add_warning(warnings, text, near_rule(set, m->value));
    tw_free(text);
}

/* The order with its matchers as they will be understood; what is wrong with it as a whole is left to who takes it. */
static json_t *look_over(const tw_app *app, const json_t *body, json_t *warnings)
{
    tw_label_matchers match;
    json_t *order = json_copy((json_t *)(uintptr_t)body);

    if (tw_label_matchers_read(&match, json_object_get(body, "match"), NULL) < 0)
        return order;
    json_t *names = label_names(app);
    for (uint32_t i = 0; i < match.count; i++) {
        if (strcmp(match.items[i].name, "rule") == 0)
            follow_rule(app, &match.items[i], warnings);
        else
            look_at_label(app, names, match.items[i].name, warnings);
    }
    json_object_set_new(order, "match", tw_label_matchers_json(&match));
    json_decref(names);
    tw_label_matchers_done(&match);
    return order;
}

/* ---- views and verbs --------------------------------------------------------------- */

json_t *tw_app_show_silences(void *self)
{
    tw_app *app = self;
    return tw_incidents_silences_json(app->incidents, tw_clock_now_ms(&app->clock));
}

tw_control_reply tw_app_act_silence(void *self, json_t *body)
{
    tw_app *app = self;
    tw_err err = {0};
    json_t *out = NULL, *warnings = json_array();
    json_t *order = look_over(app, body, warnings);
    int rc = tw_incidents_silence(app->incidents, order, tw_clock_now_ms(&app->clock),
                                  &out, &err);

    if (rc == TW_OK) {
        tw_log_info("silence", "added", "id", member(out, "id"), "by", member(out, "by"),
                    "comment", member(out, "comment"), NULL);
        json_object_set(out, "warnings", warnings);
    }
    json_decref(warnings);
    json_decref(order);
    return answer(rc, &err, out);
}

tw_control_reply tw_app_act_unsilence(void *self, json_t *body)
{
    tw_app *app = self;
    tw_err err = {0};
    int rc = tw_incidents_unsilence(app->incidents, member(body, "id"),
                                    tw_clock_now_ms(&app->clock), &err);

    if (rc == TW_OK)
        tw_log_info("silence", "expired", "id", member(body, "id"), NULL);
    return answer(rc, &err, NULL);
}

tw_control_reply tw_app_act_ack(void *self, json_t *body)
{
    tw_app *app = self;
    tw_err err = {0};
    int rc = tw_incidents_ack(app->incidents, member(body, "incident"),
                              member(body, "by"), tw_clock_now_ms(&app->clock), &err);

    if (rc == TW_OK)
        tw_log_info("incident", "acknowledged", "incident", member(body, "incident"),
                    "by", member(body, "by"), NULL);
    return answer(rc, &err, NULL);
}
