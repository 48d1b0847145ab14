// SPDX-License-Identifier: Apache-2.0
/* What plugins publish about their settings, as part of what people are shown: of the schema of the
 * configuration, and of the defaults that are filled in. Shore thread. */
#include <string.h>

#include "config.h"

/* The schema a kind of one section publishes, or NULL. */
static const char *published(const tw_plugins *plugins, bool sources, const char *kind)
{
    tw_err err = {0};

    if (sources) {
        const tw_source_type *type = tw_plugins_source(plugins, kind, &err);
        return type ? type->settings : NULL;
    }
    const tw_sink_type *type = tw_plugins_sink(plugins, kind, &err);
    return type ? type->settings : NULL;
}

/* ---- the schema -------------------------------------------------------------------- */

/* Durations are written our way, which is not the "duration" of JSON Schema. */
static void drop_formats(json_t *schema)
{
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach(schema, i, value) drop_formats(value);
    if (!json_is_object(schema))
        return;
    if (json_is_string(json_object_get(schema, "format")))
        json_object_del(schema, "format");
    json_object_foreach(schema, key, value) drop_formats(value);
}

/* "When kind is this, the settings are these." */
static void add_kind(json_t *item, bool sources, const tw_plugins *plugins,
                     const char *kind)
{
    const char *text = published(plugins, sources, kind);
    json_t *settings = text ? json_loads(text, 0, NULL) : NULL;

    if (!settings)
        return;
    drop_formats(settings);
    bool required = json_array_size(json_object_get(settings, "required")) > 0;
    json_t *then = json_pack("{s:{s:o}}", "properties", "settings", settings);
    if (required)
        json_object_set_new(then, "required", json_pack("[s]", "settings"));
    json_t *rules = json_object_get(item, "allOf");
    if (!rules) {
        rules = json_array();
        json_object_set_new(item, "allOf", rules);
    }
    json_array_append_new(rules, json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:o}", "if",
                                           "properties", "kind", "const", kind,
                                           "required", "kind", "then", then));
}

static json_t *item_of(json_t *schema, const char *section)
{
    json_t *part = json_object_get(json_object_get(schema, "properties"), section);
    return json_object_get(part, "additionalProperties");
}

void tw_config_schema_add_plugins(json_t *schema, const tw_plugins *plugins)
{
    for (size_t i = 0; i < tw_plugins_count(plugins); i++) {
        const tw_plugin *p = tw_plugins_at(plugins, i, NULL);
        for (size_t k = 0; p->sources && p->sources[k]; k++)
            add_kind(item_of(schema, "sources"), true, plugins, p->sources[k]->kind);
        for (size_t k = 0; p->sinks && p->sinks[k]; k++)
            add_kind(item_of(schema, "sinks"), false, plugins, p->sinks[k]->kind);
    }
}

/* ---- defaults ---------------------------------------------------------------------- */

static void fill(json_t *settings, const json_t *schema)
{
    const char *name;
    json_t *property;

    json_object_foreach(json_object_get(schema, "properties"), name, property)
    {
        json_t *value = json_object_get(settings, name);
        json_t *fallback = json_object_get(property, "default");
        if (json_is_object(value))
            fill(value, property);
        else if (!value && fallback)
            json_object_set(settings, name, fallback);
    }
}

static void fill_section(json_t *section, bool sources, const tw_plugins *plugins)
{
    const char *name;
    json_t *item;

    json_object_foreach(section, name, item)
    {
        const char *kind = json_string_value(json_object_get(item, "kind"));
        const char *text = kind ? published(plugins, sources, kind) : NULL;
        json_t *schema = text ? json_loads(text, 0, NULL) : NULL;
        json_t *settings = json_object_get(item, "settings");
        if (schema && json_is_object(settings))
            fill(settings, schema);
        json_decref(schema);
    }
}

void tw_config_fill_settings(json_t *effective, const tw_plugins *plugins)
{
    fill_section(json_object_get(effective, "sources"), true, plugins);
    fill_section(json_object_get(effective, "sinks"), false, plugins);
}
