// SPDX-License-Identifier: Apache-2.0
/* The reader of settings; see settings.h. Small, because the schemas are our own. */
#include "shared/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *settings_refuse(tw_refusal *refusal, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, ap);
    va_end(ap);
    return NULL;
}

void *shared_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

char *shared_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t n = strlen(text) + 1;
    return memcpy(shared_alloc(n), text, n);
}

/* "1m30s" in milliseconds, or -1. */
static int64_t parse_duration(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                 {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
    const size_t unit_count = sizeof units / sizeof *units;
    int64_t total = 0;

    if (strcmp(text, "0") == 0)
        return 0;
    if (!*text)
        return -1;
    while (*text) {
        char *end;
        if (*text < '0' || *text > '9')
            return -1;
        long long n = strtoll(text, &end, 10);
        size_t letters = strspn(end, "mshdw"), i = 0;
        while (i < unit_count && (strlen(units[i].unit) != letters ||
                                  strncmp(units[i].unit, end, letters) != 0))
            i++;
        if (i == unit_count || n > 100LL * 365 * 86400000 / units[i].ms)
            return -1;
        total += n * units[i].ms;
        text = end + letters;
    }
    return total;
}

/* ---- checks ---- */

static bool is_a(const json_t *value, const char *type)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(type, "boolean") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_NULL:
        return strcmp(type, "null") == 0;
    }
    return false;
}

/* type is a name or a list of names. */
static bool check_type(const json_t *value, const json_t *type)
{
    if (!json_is_array(type))
        return !type || is_a(value, json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++) {
        if (is_a(value, json_string_value(json_array_get(type, i))))
            return true;
    }
    return false;
}

static void join(char *out, size_t size, const json_t *list)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "",
                              json_string_value(json_array_get(list, i)));
}

static bool check_choice(const char *name, const json_t *value, const json_t *choices,
                         tw_refusal *refusal)
{
    char known[256];

    for (size_t i = 0; i < json_array_size(choices); i++) {
        if (json_equal(value, json_array_get(choices, i)))
            return true;
    }
    join(known, sizeof known, choices);
    settings_refuse(refusal, "'%s' is none of: %s", name, known);
    return false;
}

static bool check_all(json_t *settings, const json_t *schema, tw_refusal *refusal);

static bool check_value(const char *name, json_t *value, const json_t *schema,
                        tw_refusal *refusal)
{
    const json_t *choices = json_object_get(schema, "enum");
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");
    const json_t *items = json_object_get(schema, "items");
    const json_t *values = json_object_get(schema, "additionalProperties");
    const char *format = json_string_value(json_object_get(schema, "format"));
    const json_t *type = json_object_get(schema, "type");
    const char *member;
    json_t *item;

    if (!check_type(value, type)) {
        char known[128];
        join(known, sizeof known, type);
        settings_refuse(refusal, "'%s' must be of type %s", name,
                        json_is_array(type) ? known : json_string_value(type));
        return false;
    }
    if (choices && !check_choice(name, value, choices, refusal))
        return false;
    if ((least && json_number_value(value) < json_number_value(least)) ||
        (most && json_number_value(value) > json_number_value(most))) {
        settings_refuse(refusal, "'%s' is out of its range", name);
        return false;
    }
    if (format && strcmp(format, "duration") == 0 &&
        parse_duration(json_string_value(value)) < 0) {
        settings_refuse(refusal, "'%s' is no duration such as 90s or 2m30s", name);
        return false;
    }
    for (size_t i = 0; items && i < json_array_size(value); i++) {
        if (!check_value(name, json_array_get(value, i), items, refusal))
            return false;
    }
    if (json_object_get(schema, "properties") && !check_all(value, schema, refusal))
        return false;
    json_object_foreach(value, member, item)
    {
        if (values && !check_value(member, item, values, refusal))
            return false;
    }
    return true;
}

static void refuse_name(const char *name, const json_t *properties, tw_refusal *refusal)
{
    json_t *names = json_array();
    const char *known;
    json_t *value;
    char text[384];

    json_object_foreach((json_t *)(uintptr_t)properties, known, value)
        json_array_append_new(names, json_string(known));
    join(text, sizeof text, names);
    json_decref(names);
    settings_refuse(refusal, "there is no setting '%s'; there are: %s", name, text);
}

static bool check_all(json_t *settings, const json_t *schema, tw_refusal *refusal)
{
    json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    const char *name;
    json_t *value, *property;

    json_object_foreach(settings, name, value)
    {
        property = json_object_get(properties, name);
        if (!property) {
            refuse_name(name, properties, refusal);
            return false;
        }
        if (!check_value(name, value, property, refusal))
            return false;
    }
    for (size_t i = 0; i < json_array_size(required); i++) {
        name = json_string_value(json_array_get(required, i));
        if (!json_object_get(settings, name)) {
            settings_refuse(refusal, "the setting '%s' is missing", name);
            return false;
        }
    }
    json_object_foreach(properties, name, property)
    {
        value = json_object_get(property, "default");
        if (value && !json_object_get(settings, name))
            json_object_set(settings, name, value);
    }
    return true;
}

json_t *settings_read(const char *text, const char *schema, tw_refusal *refusal)
{
    json_t *rules = json_loads(schema, 0, NULL);
    json_t *settings = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_object();

    if (json_is_null(settings))
        settings = json_object();
    if (!rules || !json_is_object(settings)) {
        settings_refuse(refusal, "the settings are no object");
    } else if (check_all(settings, rules, refusal)) {
        json_decref(rules);
        return settings;
    }
    json_decref(rules);
    json_decref(settings);
    return NULL;
}

/* ---- reading ---- */

const char *settings_text(const json_t *settings, const char *name)
{
    return json_string_value(json_object_get(settings, name));
}

int64_t settings_int(const json_t *settings, const char *name)
{
    return json_integer_value(json_object_get(settings, name));
}

bool settings_bool(const json_t *settings, const char *name)
{
    return json_is_true(json_object_get(settings, name));
}

int64_t settings_ms(const json_t *settings, const char *name)
{
    const char *text = settings_text(settings, name);
    return text ? parse_duration(text) : 0;
}
