// SPDX-License-Identifier: Apache-2.0
/* What sources and sinks share of their settings: text, brokers, security and the
 * librdkafka properties that are passed through. */
#include "conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The plugin is wrong when one of these is anything but what it sets itself. */
static const char *const guarded[] = {
    "allow.auto.create.topics", "auto.commit.enable",
    "auto.offset.reset",        "bootstrap.servers",
    "enable.auto.commit",       "enable.auto.offset.store",
    "enable.partition.eof",     "group.id",
    "group.instance.id",        "metadata.broker.list",
    "offset.store.method",      "plugin.library.paths",
    "statistics.interval.ms",   "test.mock.num.brokers",
    "transactional.id",
};

void *kafka_alloc(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes ? size_bytes : 1);

    if (!memory)
        abort();
    return memory;
}

char *kafka_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(kafka_alloc(size), text, size);
}

void kafka_refuse(tw_refusal *refusal, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, args);
    va_end(args);
}

void kafka_log(const tw_host *h, tw_plugin_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    h->log(h, level, text);
}

int conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
             tw_refusal *refusal)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    if (value && *value && strstr(why, value)) /* it may be a secret in the wrong place */
        kafka_refuse(refusal, "%s: librdkafka does not take this value", name);
    else
        kafka_refuse(refusal, "%s: %s", name, why);
    return -1;
}

int conf_set_all(rd_kafka_conf_t *conf, const conf_property *list, size_t count,
                 tw_refusal *refusal)
{
    for (size_t i = 0; i < count; i++)
        if (conf_set(conf, list[i].name, list[i].value, refusal) < 0)
            return -1;
    return 0;
}

/* ---- reading JSON ------------------------------------------------------------------ */

/* A scalar as the text librdkafka wants, or NULL when it is none. */
static const char *scalar_text(const json_t *value, char *room, size_t size)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (!json_is_integer(value))
        return NULL;
    snprintf(room, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return room;
}

static bool is_guarded(const char *name)
{
    for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++)
        if (strcmp(name, guarded[i]) == 0)
            return true;
    return false;
}

/* The cooperative assignor loses or repeats records before 2.10.1, the sticky one
 * quarrels with itself before 2.2.0 and gains nothing afterwards. */
static bool is_bad_strategy(const char *name, const char *value)
{
    if (strcmp(name, "partition.assignment.strategy") != 0)
        return false;
    return strstr(value, "sticky") &&
           (!strstr(value, "cooperative") || rd_kafka_version() < 0x020a01ff);
}

int conf_read_properties(rd_kafka_conf_t *conf, const json_t *object, tw_refusal *refusal)
{
    const char *name;
    json_t *value;

    if (object && !json_is_object(object)) {
        kafka_refuse(refusal, "properties: must be an object of librdkafka properties");
        return -1;
    }
    json_object_foreach((json_t *)object, name, value)
    {
        char room[32];
        const char *text = scalar_text(value, room, sizeof room);

        if (!text) {
            kafka_refuse(refusal,
                         "properties.%s: must be text, a whole number or true "
                         "or false",
                         name);
            return -1;
        }
        if (is_guarded(name) || is_bad_strategy(name, text)) {
            kafka_refuse(refusal,
                         "properties.%s: cannot be set like this, tidewatch depends "
                         "on its own value",
                         name);
            return -1;
        }
        if (conf_set(conf, name, text, refusal) < 0)
            return -1;
    }
    return 0;
}

/* security.sasl.ssl_style_name becomes sasl.ssl.style.name. */
static int read_security_part(rd_kafka_conf_t *conf, const char *part,
                              const json_t *object, tw_refusal *refusal)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        char name[128], room[32];
        const char *text = scalar_text(value, room, sizeof room);
        int size = snprintf(name, sizeof name, "%s.%s", part, key);

        if (!text || size < 0 || (size_t)size >= sizeof name) {
            kafka_refuse(refusal, "security.%s.%s: must be text", part, key);
            return -1;
        }
        for (char *p = name; *p; p++)
            if (*p == '_')
                *p = '.';
        if (conf_set(conf, name, text, refusal) < 0)
            return -1;
    }
    return 0;
}

int conf_read_security(rd_kafka_conf_t *conf, const json_t *object, tw_refusal *refusal)
{
    const char *key;
    json_t *value;

    if (object && !json_is_object(object)) {
        kafka_refuse(refusal, "security: must be an object with protocol, sasl and ssl");
        return -1;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        int rc = -1;

        if (strcmp(key, "protocol") == 0 && json_is_string(value))
            rc = conf_set(conf, "security.protocol", json_string_value(value), refusal);
        else if ((strcmp(key, "sasl") == 0 || strcmp(key, "ssl") == 0) &&
                 json_is_object(value))
            rc = read_security_part(conf, key, value, refusal);
        else
            kafka_refuse(refusal,
                         "security.%s: security has protocol (text), sasl and "
                         "ssl (objects)",
                         key);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* "host:port", "host:port,host:port" or an array of those. */
char *conf_read_brokers(const json_t *value, tw_refusal *refusal)
{
    char *list = NULL;
    size_t size = 1;

    if (json_is_string(value) && *json_string_value(value))
        return kafka_copy(json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        size += json_string_length(json_array_get(value, i)) + 1;
    list = kafka_alloc(size);
    for (size_t i = 0, at = 0; i < json_array_size(value); i++) {
        const char *one = json_string_value(json_array_get(value, i));

        if (!one)
            goto refuse;
        at += (size_t)snprintf(list + at, size - at, "%s%s", i ? "," : "", one);
    }
    if (*list)
        return list;

refuse:
    free(list);
    kafka_refuse(refusal, "brokers: must name at least one broker as host:port");
    return NULL;
}

int conf_check_keys(const json_t *settings, const char *const *known, size_t count,
                    tw_refusal *refusal)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)settings, key, value)
    {
        size_t i = 0;

        while (i < count && strcmp(key, known[i]) != 0)
            i++;
        if (i == count) {
            kafka_refuse(refusal, "%s: not a setting of this kind", key);
            return -1;
        }
    }
    return 0;
}

/* Optional text: 0 with *out untouched when it is not there. */
int conf_read_text(const json_t *settings, const char *key, const char **out,
                   tw_refusal *refusal)
{
    const json_t *value = json_object_get(settings, key);

    if (!value)
        return 0;
    if (!json_is_string(value) || !*json_string_value(value)) {
        kafka_refuse(refusal, "%s: must be text that is not empty", key);
        return -1;
    }
    *out = json_string_value(value);
    return 0;
}

json_t *conf_parse(const tw_host *h, tw_refusal *refusal)
{
    json_error_t where;
    json_t *settings = json_loads(h->settings ? h->settings : "{}", 0, &where);

    if (settings && json_is_object(settings))
        return settings;
    kafka_refuse(refusal, "settings: %s", settings ? "must be an object" : where.text);
    json_decref(settings);
    return NULL;
}

int64_t conf_number(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32];
    size_t size = sizeof text;

    if (rd_kafka_conf_get(conf, name, text, &size) != RD_KAFKA_CONF_OK)
        return 0;
    return strtoll(text, NULL, 10);
}
