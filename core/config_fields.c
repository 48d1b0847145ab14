// SPDX-License-Identifier: Apache-2.0
/* `strict` and `fields` of a stream: what rules may name of its events. What the configuration itself names of
 * them is held against it, too. Shore thread. */
#include <string.h>

#include "base/mem.h"
#include "config_impl.h"

static int add_field(const tw_config *config, tw_config_stream *s, tw_fields *fields,
                     const json_t *map, const char *path, const char *type, tw_err *err)
{
    tw_err why = {0};
    tw_declared_type number = TW_DECLARED_ANY;
    int slot = tw_fields_slot(fields, path, &why);

    if (slot < TW_SLOT_FIRST_FIELD)
        return tw_config_fail_key(config, map, path, err,
                                  "'%s' in 'fields' of stream '%s' is no field of an "
                                  "event%s%s",
                                  path, s->name, slot < 0 ? ": " : "",
                                  slot < 0 ? why.text : "");
    while (strcmp(tw_declared_types[number], type) != 0) /* the schema has seen it */
        number++;
    tw_declared_add(s->declared, tw_fields_at(fields, (uint32_t)slot)->path, number);
    return TW_OK;
}

/* A field that the stream's own options name. */
static int check_named(const tw_config *config, const tw_config_stream *s,
                       tw_fields *fields, const json_t *node, const char *key,
                       const char *path, tw_err *err)
{
    int slot = path ? tw_fields_slot(fields, path, NULL) : -1;

    if (slot < TW_SLOT_FIRST_FIELD ||
        tw_declared_has(s->declared, tw_fields_at(fields, (uint32_t)slot)))
        return TW_OK;
    const char *nearest = tw_declared_nearest(s->declared, path);
    return tw_config_fail_key(config, node, key, err,
                              "'%s' of stream '%s': its 'fields' have no '%s'%s%s%s", key,
                              s->name, path, nearest ? " (did you mean '" : "",
                              nearest ? nearest : "", nearest ? "'?)" : "");
}

static int read_fields(const tw_config *config, tw_config_stream *s, const json_t *node,
                       tw_fields *fields, tw_err *err)
{
    const char *path;
    json_t *map = json_object_get(node, "fields"), *type;
    int rc = TW_OK;

    json_object_foreach(map, path, type)
    {
        rc = add_field(config, s, fields, map, path, json_string_value(type), err);
        if (rc < 0)
            return rc;
    }
    if ((rc = check_named(config, s, fields, node, "time", s->time_path, err)) < 0 ||
        (rc = check_named(config, s, fields, node, "key", s->key_path, err)) < 0)
        return rc;
    for (uint32_t i = 0; i < s->change_of_count && rc == TW_OK; i++)
        rc = check_named(config, s, fields, node, "changes", s->change_of[i], err);
    return rc;
}

int tw_config_read_declared(const tw_config *config, tw_config_stream *s,
                            const json_t *node, tw_err *err)
{
    const json_t *map = json_object_get(node, "fields");
    bool strict = tw_conf_bool(node, "strict");

    if (!strict && map)
        return tw_config_fail_key(config, node, "fields", err,
                                  "'fields' of stream '%s' need 'strict: true', which "
                                  "makes any other field that a rule names an error",
                                  s->name);
    if (!strict)
        return TW_OK;
    if (json_object_size(map) == 0)
        return tw_config_fail_key(config, node, "strict", err,
                                  "stream '%s' is strict and has no 'fields': { service: "
                                  "text, code: number, ... }",
                                  s->name);
    if (json_object_size(map) > TW_MAX_FIELDS - TW_SLOT_FIRST_FIELD)
        return tw_config_fail_key(config, node, "fields", err,
                                  "stream '%s' declares more than %d fields", s->name,
                                  TW_MAX_FIELDS - TW_SLOT_FIRST_FIELD);
    tw_fields *fields = tw_fields_new();
    s->declared = tw_declared_new();
    int rc = read_fields(config, s, node, fields, err);
    tw_fields_free(fields);
    return rc;
}
