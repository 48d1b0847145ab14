// SPDX-License-Identifier: Apache-2.0
/* What an incident is about, what else happened to it, and what of the incident itself is remembered. What is
 * remembered lies elsewhere (flow/context.h). Shore thread only. */
#include <string.h>

#include "alert/incident_impl.h"
#include "base/mem.h"

#define HOUR_MS INT64_C(3600000)
#define MOST_CHANGES 10
#define MAX_VALUE_BYTES 256

/* ---- what it is about -------------------------------------------------------------- */

static void set_value(json_t *entities, const char *name, const json_t *value)
{
    char number[40];

    if (json_is_string(value))
        json_object_set(entities, name, (json_t *)(uintptr_t)value);
    else if (json_is_boolean(value))
        json_object_set_new(entities, name,
                            json_string(json_is_true(value) ? "true" : "false"));
    else if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        json_object_set_new(entities, name, json_string(number));
    }
}

/* The field behind a path of the id, wherever its value comes from. */
static const char *field_of(const tw_rule *rule, const tw_part *part)
{
    switch (part->kind) {
    case TW_PART_KEY:
        return part->index < rule->key_count ? rule->key_names[part->index] : NULL;
    case TW_PART_FIELD:
        return rule->carried[part->index];
    case TW_PART_FIRST:
        return rule->carried_first[part->index];
    case TW_PART_ROLE:
        return rule->kept[part->index];
    case TW_PART_LITERAL:
    case TW_PART_RESULT:
    case TW_PART_ENRICH:
    case TW_PART_FACT:
    case TW_PART_ROLE_COUNT:
    case TW_PART_ROLE_TIME:
        break;
    }
    return NULL;
}

static void add_part(tw_signal_view *v, const tw_part *part, json_t *entities)
{
    const char *name = field_of(v->signal->rule, part);
    json_t *value =
        name && !json_object_get(entities, name) ? tw_signal_part(v, part) : NULL;

    if (value)
        set_value(entities, name, value);
    json_decref(value);
}

json_t *tw_signal_entities(tw_signal_view *v)
{
    const tw_rule *rule = v->signal->rule;
    json_t *entities = json_object();

    for (uint32_t i = 0; i < rule->key_count; i++)
        add_part(v, &(tw_part){.kind = TW_PART_KEY, .index = i}, entities);
    for (uint32_t i = 0; i < rule->incident.id.count; i++)
        add_part(v, &rule->incident.id.parts[i], entities);
    return entities;
}

static uint32_t list_entities(const json_t *object, tw_entity *out)
{
    const char *name;
    json_t *value;
    uint32_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (n == TW_MAX_CONTEXT_FIELDS)
            break;
        out[n++] = (tw_entity){.name = name,
                               .value = json_string_value(value),
                               .name_len = strlen(name),
                               .value_len = json_string_length(value)};
    }
    return n;
}

/* ---- what else happened to it ------------------------------------------------------ */

json_t *tw_signal_context(tw_signal_view *v, const tw_context_plan *plan)
{
    char *values[TW_MAX_CONTEXT_FIELDS];

    for (uint32_t i = 0; i < plan->of_count; i++)
        values[i] = tw_signal_text(v, &plan->values[i], MAX_VALUE_BYTES);
    json_t *all = tw_context_gather(&v->in->options.context, plan, v->signal->rule->name,
                                    values, v->signal->at_ms);
    for (uint32_t i = 0; i < plan->of_count; i++)
        tw_free(values[i]);
    return all;
}

static json_t *none_is_null(json_t *list)
{
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *tw_incident_changes(const tw_incident *inc, int64_t at_ms)
{
    const tw_context_port *port = &inc->in->options.context;
    tw_entity entities[TW_MAX_CONTEXT_FIELDS];
    tw_context_query q = {.kind = TW_CONTEXT_CHANGES,
                          .entities = entities,
                          .entity_count = list_entities(inc->entities, entities),
                          .from_ms = inc->opened_ms - HOUR_MS,
                          .to_ms = at_ms,
                          .most = MOST_CHANGES};

    if (!port->read || q.entity_count == 0)
        return NULL;
    return none_is_null(port->read(port->self, &q));
}

static int64_t time_of(const json_t *change)
{
    return json_integer_value(json_object_get(change, "time"));
}

/* Into its place by time; members of a group often share a change. */
static void merge(json_t *all, json_t *change)
{
    size_t at = json_array_size(all);

    for (size_t i = 0; i < json_array_size(all); i++)
        if (json_equal(json_array_get(all, i), change))
            return;
    while (at > 0 && time_of(json_array_get(all, at - 1)) > time_of(change))
        at--;
    json_array_insert(all, at, change);
    if (json_array_size(all) > MOST_CHANGES)
        json_array_remove(all, 0);
}

void tw_incident_add_changes(const tw_incident *inc, int64_t at_ms, json_t *all)
{
    json_t *own = tw_incident_changes(inc, at_ms), *change;
    size_t k;

    json_array_foreach(own, k, change) merge(all, change);
    json_decref(own);
}

/* ---- what is remembered of it ------------------------------------------------------ */

void tw_incident_note(const tw_incident *inc, const char *status, tw_level level,
                      int64_t at_ms)
{
    const tw_context_port *port = &inc->in->options.context;
    tw_entity entities[TW_MAX_CONTEXT_FIELDS];
    tw_context_alert alert = {.entities = entities,
                              .entity_count = list_entities(inc->entities, entities),
                              .at_ms = at_ms,
                              .rule = inc->rule->name,
                              .incident = inc->id,
                              .status = status,
                              .level = tw_level_name(level),
                              .title = inc->title};

    if (port->note_alert && alert.entity_count > 0)
        port->note_alert(port->self, &alert);
}
