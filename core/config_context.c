// SPDX-License-Identifier: Apache-2.0
/* What a configuration says of the memory of changes: which streams tell of changes, and its bounds. */
#include <string.h>

#include "base/mem.h"
#include "config_impl.h"
#include "context/change.h"

#define LEAST_BYTES (64 << 10)

static int fail(const tw_config *config, const json_t *stream, const char *name,
                tw_err *err)
{
    return tw_config_fail_key(config, stream, "changes", err,
                              "'changes' of stream '%s' is true, false or { of: [FIELD, "
                              "...] } with the fields that name what has changed",
                              name);
}

static int read_field(const tw_config *config, tw_config_stream *s, const json_t *of,
                      const json_t *item, tw_err *err)
{
    const char *path = json_string_value(item);
    tw_fields *fields = tw_fields_new();
    tw_err why = {0};
    int slot = path ? tw_fields_slot(fields, path, &why) : TW_SLOT_TIME;

    tw_fields_free(fields);
    if (slot < TW_SLOT_FIRST_FIELD)
        return tw_config_fail_key(
            config, of, "of", err, "'of' lists fields of the event; '%s' is not one%s%s",
            path ? path : "?", slot < 0 ? ": " : "", slot < 0 ? why.text : "");
    s->change_of[s->change_of_count++] = tw_strdup(path);
    return TW_OK;
}

static int read_of(const tw_config *config, tw_config_stream *s, const json_t *object,
                   tw_err *err)
{
    const json_t *of = json_object_get(object, "of");
    size_t count = json_is_string(of) ? 1 : json_array_size(of);
    int rc = TW_OK;

    if (count == 0 || count > TW_CONTEXT_ENTITIES)
        return tw_config_fail_key(config, object, "of", err, "'of' lists 1 to %d fields",
                                  TW_CONTEXT_ENTITIES);
    s->change_of = tw_calloc(count, sizeof *s->change_of);
    for (size_t i = 0; i < count && rc == TW_OK; i++)
        rc = read_field(config, s, object,
                        json_is_string(of) ? of : json_array_get(of, i), err);
    return rc;
}

int tw_config_read_changes(const tw_config *config, tw_config_stream *s,
                           const json_t *stream, tw_err *err)
{
    const json_t *changes = json_object_get(stream, "changes");
    const char *key;
    json_t *value;

    s->changes = changes && !json_is_null(changes)
                     ? !json_is_false(changes)
                     : tw_stream_name_tells_changes(s->name);
    if (s->changes && json_is_object(changes)) {
        json_object_foreach((json_t *)(uintptr_t)changes, key, value)
        {
            if (strcmp(key, "of") != 0)
                return fail(config, stream, s->name, err);
        }
        return read_of(config, s, changes, err);
    }
    if (changes && !json_is_boolean(changes) && !json_is_null(changes))
        return fail(config, stream, s->name, err);
    if (json_is_true(changes) && s->format == TW_FORMAT_TEXT)
        return tw_config_fail_key(config, stream, "changes", err,
                                  "stream '%s' is text, which has no fields that could "
                                  "name what has changed",
                                  s->name);
    return TW_OK;
}

int tw_config_read_context(tw_config *config, tw_err *err)
{
    const json_t *object = json_object_get(tw_conf_root(config->document), "context");
    int64_t bytes = tw_conf_bytes(object, "memory"), age_ms = tw_conf_ms(object, "age");

    if (bytes < LEAST_BYTES)
        return tw_config_fail(config, json_object_get(object, "memory"), err,
                              "'memory' must be at least 64KiB");
    if (age_ms < 1000 || age_ms > INT64_C(366) * 86400000)
        return tw_config_fail(config, json_object_get(object, "age"), err,
                              "'age' must be between 1s and 366d");
    config->context =
        (tw_context_limits){.entities = (uint32_t)tw_conf_int(object, "entities"),
                            .entries = (uint32_t)tw_conf_int(object, "entries"),
                            .age_ms = age_ms,
                            .bytes = (size_t)bytes};
    return TW_OK;
}
