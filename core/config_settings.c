// SPDX-License-Identifier: Apache-2.0
/* Settings of connectors against the JSON Schema that the plugin publishes, so that a misspelt name
 * is told with its place before anything is opened. Reads of a schema: properties, additionalProperties,
 * required, type, enum, items, minimum and maximum; of format and examples, how to write it; the rest is the plugin's own to refuse.
 * Shore thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "config_impl.h"
#include "rule/findings.h"

/* One walk over the settings of one instance. */
typedef struct settings_check {
    const tw_config *config;
    const char *who;
    tw_findings *out;
    size_t found;
} settings_check;

/* Where `key` of `object` stands, or that of an object further down. */
static bool find_key(const tw_config *config, const json_t *object, const char *key,
                     int *line, int *column)
{
    const char *name;
    json_t *value;

    if (tw_conf_where_key(config->document, object, key, line, column))
        return true;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_object(value) && find_key(config, value, key, line, column))
            return true;
    }
    return false;
}

static void find(const tw_config *config, const json_t *object, const char *key,
                 const char *text, bool warning, tw_findings *out)
{
    int line = 0, column = 0;
    tw_err err = {0};

    if (!key || !find_key(config, object, key, &line, &column))
        tw_conf_where(config->document, object, &line, &column);
    tw_err_at(&err, TW_EINVAL, tw_conf_file(config->document), line, column, "%s", text);
    tw_findings_add(out, &err, warning);
}

void tw_config_find(const tw_config *config, const json_t *object, const char *key,
                    const char *text, tw_findings *out)
{
    find(config, object, key, text, false, out);
}

void tw_config_warn(const tw_config *config, const json_t *object, const char *key,
                    const char *text, tw_findings *out)
{
    find(config, object, key, text, true, out);
}

static void say(settings_check *c, const json_t *object, const char *key,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say(settings_check *c, const json_t *object, const char *key,
                const char *format, ...)
{
    char what[600], text[700];
    va_list ap;

    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    snprintf(text, sizeof text, "%s: %s", c->who, what);
    tw_config_find(c->config, object, key, text, c->out);
    c->found++;
}

/* ---- one value --------------------------------------------------------------------- */

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_ARRAY:
        return "array";
    case JSON_OBJECT:
        return "object";
    case JSON_NULL:
        break;
    }
    return "null";
}

static bool is_a(const json_t *value, const char *type)
{
    return strcmp(type, type_of(value)) == 0 ||
           (json_is_integer(value) && strcmp(type, "number") == 0);
}

/* type: a name or a list of names. */
static bool type_fits(const json_t *value, const json_t *type)
{
    if (json_is_string(type))
        return is_a(value, json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++) {
        const char *name = json_string_value(json_array_get(type, i));
        if (name && is_a(value, name))
            return true;
    }
    return !json_is_array(type);
}

/* "a, b, c" of names or numbers; tw_free. */
static char *listed(const json_t *list)
{
    char *text = tw_strdup("");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *between = i ? ", " : "";
        char *longer =
            json_is_string(item)
                ? tw_asprintf("%s%s%s", text, between, json_string_value(item))
                : tw_asprintf("%s%s%g", text, between, json_number_value(item));
        tw_free(text);
        text = longer;
    }
    return text;
}

/* How to write it, or nothing. The first of `examples` shows the shape of what has parts. tw_free. */
static char *advice(const json_t *value, const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    const char *format = json_string_value(json_object_get(schema, "format"));
    json_t *example = json_array_get(json_object_get(schema, "examples"), 0);

    if (json_is_integer(value) && format && strcmp(format, "duration") == 0)
        return tw_asprintf("; with its unit, such as %" JSON_INTEGER_FORMAT "s",
                           json_integer_value(value));
    if (type && strcmp(type, "boolean") == 0)
        return tw_strdup("; write true or false");
    if (!example)
        return tw_strdup("");
    char *shown = json_dumps(example, JSON_ENCODE_ANY);
    char *text = tw_asprintf("; such as %s", shown);
    free(shown);
    return text;
}

static void check_type(settings_check *c, const json_t *object, const char *key,
                       const json_t *value, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");

    if (type_fits(value, type))
        return;
    char *wanted =
        json_is_array(type) ? listed(type) : tw_strdup(json_string_value(type));
    char *how = advice(value, schema);
    say(c, object, key, "'%s' must be of type %s, not %s%s", key, wanted, type_of(value),
        how);
    tw_free(how);
    tw_free(wanted);
}

static void check_choice(settings_check *c, const json_t *object, const char *key,
                         const json_t *value, const json_t *choices)
{
    const char *names[64], *nearest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *choice = json_array_get(choices, i);
        if (json_equal(value, choice))
            return;
        if (json_is_string(choice) && count < sizeof names / sizeof *names)
            names[count++] = json_string_value(choice);
    }
    if (json_is_string(value))
        nearest = tw_nearest(json_string_value(value), names, count);
    char *known = listed(choices);
    say(c, object, key, "'%s' must be one of %s%s%s%s", key, known,
        nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
    tw_free(known);
}

static void check_range(settings_check *c, const json_t *object, const char *key,
                        const json_t *value, const json_t *schema)
{
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");

    if (least && json_number_value(value) < json_number_value(least))
        say(c, object, key, "'%s' must be at least %.15g", key, json_number_value(least));
    if (most && json_number_value(value) > json_number_value(most))
        say(c, object, key, "'%s' must be at most %.15g", key, json_number_value(most));
}

static void check_object(settings_check *c, const json_t *object, const json_t *schema);

static void check_value(settings_check *c, const json_t *object, const char *key,
                        const json_t *value, const json_t *schema)
{
    const json_t *choices = json_object_get(schema, "enum");
    const json_t *items = json_object_get(schema, "items");
    size_t before = c->found;

    check_type(c, object, key, value, schema);
    if (c->found > before)
        return;
    if (choices)
        check_choice(c, object, key, value, choices);
    if (json_is_number(value))
        check_range(c, object, key, value, schema);
    if (json_is_object(value))
        check_object(c, value, schema);
    for (size_t i = 0; json_is_object(items) && i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (json_is_object(item))
            check_object(c, item, items);
        else
            check_value(c, object, key, item, items);
    }
}

/* ---- an object --------------------------------------------------------------------- */

static void say_unknown(settings_check *c, const json_t *object, const char *key,
                        const json_t *properties)
{
    const char *names[256], *name;
    size_t count = 0;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)properties, name, value)
    {
        if (count < sizeof names / sizeof *names)
            names[count++] = name;
    }
    const char *nearest = tw_nearest(key, names, count);
    if (nearest) {
        say(c, object, key, "there is no setting '%s' (did you mean '%s'?)", key,
            nearest);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(names[i]));
    char *known = listed(list);
    json_decref(list);
    say(c, object, key, "there is no setting '%s'; there are: %s", key, known);
    tw_free(known);
}

static void check_object(settings_check *c, const json_t *object, const json_t *schema)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *others = json_object_get(schema, "additionalProperties");
    const json_t *required = json_object_get(schema, "required");
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const json_t *property = json_object_get(properties, key);
        if (!property && json_is_object(others))
            property = others;
        if (property)
            check_value(c, object, key, value, property);
        else if (properties && (!others || json_is_false(others)))
            say_unknown(c, object, key, properties);
    }
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (name && !json_object_get(object, name))
            say(c, object, NULL, "the setting '%s' is missing", name);
    }
}

size_t tw_config_check_settings(const tw_config *config, const char *who,
                                json_t *settings, const char *schema, tw_findings *out)
{
    json_t *tree = schema ? json_loads(schema, 0, NULL) : NULL;
    settings_check c = {.config = config, .who = who, .out = out};

    if (tree)
        check_object(&c, settings, tree);
    json_decref(tree);
    return c.found;
}
