// SPDX-License-Identifier: Apache-2.0
/* Two views made from a table of fields: its JSON Schema, for editors, and a copy of a
 * tree that may be shown to people. Reads only; any thread that may read the tree.
 * Invariant: a secret leaves here as "<secret>", whether the table or its origin makes it
 * one. */
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/conf_tree.h"

/* ---- JSON Schema 2020-12 ---- */

static json_t *object_schema(const tw_conf_field *fields);
static json_t *value_schema(const tw_conf_field *field);

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *bound(const tw_conf_field *field, double value)
{
    return field->type == TW_CONF_INT ? json_integer((json_int_t)value)
                                      : json_real(value);
}

static json_t *number_schema(const tw_conf_field *field)
{
    json_t *schema = typed(field->type == TW_CONF_INT ? "integer" : "number");
    if (field->min < field->max) {
        json_object_set_new(schema, "minimum", bound(field, field->min));
        json_object_set_new(schema, "maximum", bound(field, field->max));
    }
    return schema;
}

static json_t *choice_schema(const tw_conf_field *field)
{
    json_t *choices = json_array();
    for (const char *const *c = field->choices; *c; c++)
        json_array_append_new(choices, json_string(*c));
    return json_pack("{s:o}", "enum", choices);
}

static json_t *list_schema(const tw_conf_field *field)
{
    json_t *list = typed("array");
    if (field->items)
        json_object_set_new(list, "items", value_schema(field->items));
    if (!field->string_ok || !field->items)
        return list;
    return json_pack("{s:[o,o]}", "anyOf", list, value_schema(field->items));
}

static json_t *map_schema(const tw_conf_field *field)
{
    json_t *map = typed("object");
    if (field->items)
        json_object_set_new(map, "additionalProperties", value_schema(field->items));
    return map;
}

static json_t *bare_schema(const tw_conf_field *field)
{
    switch (field->type) {
    case TW_CONF_STRING:
        return typed("string");
    case TW_CONF_INT:
    case TW_CONF_NUMBER:
        return number_schema(field);
    case TW_CONF_BOOL:
        return typed("boolean");
    case TW_CONF_DURATION:
        return json_pack(
            "{s:s, s:s}", "type", "string", "pattern",
            "^(0|([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$");
    case TW_CONF_SIZE:
        return json_pack("{s:[{s:s, s:i}, {s:s, s:s}]}", "anyOf", "type", "integer",
                         "minimum", 0, "type", "string", "pattern",
                         "^[0-9]+(B|[KMGT]i?B)?$");
    case TW_CONF_ENUM:
        return choice_schema(field);
    case TW_CONF_LIST:
        return list_schema(field);
    case TW_CONF_OBJECT:
        return object_schema(field->fields);
    case TW_CONF_MAP:
        return map_schema(field);
    case TW_CONF_ANY:
        break;
    }
    return json_object();
}

static json_t *value_schema(const tw_conf_field *field)
{
    json_t *schema = bare_schema(field);
    if (field->doc)
        json_object_set_new(schema, "description", json_string(field->doc));
    if (field->fallback)
        json_object_set_new(schema, "default",
                            json_loads(field->fallback, JSON_DECODE_ANY, NULL));
    if (field->secret)
        json_object_set_new(schema, "writeOnly", json_true());
    return schema;
}

static json_t *object_schema(const tw_conf_field *fields)
{
    json_t *properties = json_object(), *required = json_array();
    for (; fields->name; fields++) {
        json_object_set_new(properties, fields->name, value_schema(fields));
        if (fields->required)
            json_array_append_new(required, json_string(fields->name));
    }
    json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties",
                               properties, "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

json_t *tw_conf_schema(const tw_conf_field *fields)
{
    json_t *schema =
        json_pack("{s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_t *body = object_schema(fields);
    json_object_update(schema, body);
    json_decref(body);
    return schema;
}

/* ---- a copy for people ---- */

static const tw_conf_field *find_field(const tw_conf_field *fields, const char *name)
{
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static json_t *redacted_value(const tw_conf *c, const json_t *node,
                              const tw_conf_field *field);

/* A map's entries are all alike (items), an object's each have their field. Both may be
 * NULL: then only the origin of a value tells. */
static json_t *redacted_entries(const tw_conf *c, const json_t *node,
                                const tw_conf_field *fields, const tw_conf_field *items)
{
    json_t *copy = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)node, key, value)
    {
        const tw_conf_place *place = tw_conf_find_key_place(c, node, key);
        const tw_conf_field *field = items ? items : find_field(fields, key);
        json_object_set_new(copy, key,
                            place && place->secret ? json_string("<secret>")
                                                   : redacted_value(c, value, field));
    }
    return copy;
}

/* Would "${" at p be taken for a reference, or lose the $ before it? */
static bool needs_escape(const char *text, const char *p)
{
    size_t word = strspn(p + 2, "abcdefghijklmnopqrstuvwxyz");
    return (word > 0 && p[2 + word] == ':') || (p > text && p[-1] == '$');
}

/* As it would have to be written in a file: with "$${" for a plain "${". */
static json_t *written_text(const char *text)
{
    tw_buf out;

    tw_buf_init(&out, 2 * strlen(text) + 1);
    for (const char *p = text; *p; p++) {
        if (p[0] == '$' && p[1] == '{' && needs_escape(text, p))
            tw_buf_add_char(&out, '$');
        tw_buf_add_char(&out, *p);
    }
    json_t *node = json_stringn(out.data, out.len);
    tw_buf_done(&out);
    return node;
}

static json_t *redacted_value(const tw_conf *c, const json_t *node,
                              const tw_conf_field *field)
{
    bool secret = tw_conf_is_secret(c, node) || (field && field->secret);
    if (secret && !json_is_null(node))
        return json_string("<secret>");
    if (json_is_object(node))
        return redacted_entries(c, node, field ? field->fields : NULL,
                                field ? field->items : NULL);
    if (json_is_string(node))
        return written_text(json_string_value(node));
    if (!json_is_array(node))
        return json_deep_copy(node);
    json_t *copy = json_array(), *item;
    size_t i;
    json_array_foreach(node, i, item)
        json_array_append_new(copy, redacted_value(c, item, field ? field->items : NULL));
    return copy;
}

json_t *tw_conf_redacted(const tw_conf *c, const json_t *node,
                         const tw_conf_field *fields)
{
    return json_is_object(node) ? redacted_entries(c, node, fields, NULL)
                                : redacted_value(c, node, NULL);
}
