// SPDX-License-Identifier: Apache-2.0
/* From a checked document to the structs of config.h, and the checks that no table can say: names,
 * paths, ranges. Shore thread. Invariant: every finding has the position of what the user
 * wrote, and a half-filled configuration can be freed. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "config_impl.h"
#include "rule/findings.h"

#define NAME_BYTES 200
#define LONGEST_MS (366 * INT64_C(86400000))
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

/* ---- findings ---------------------------------------------------------------------- */

static int fail_at(const tw_config *config, int line, int column, tw_err *err,
                   const char *format, va_list ap)
{
    char text[sizeof err->text];

    vsnprintf(text, sizeof text, format, ap);
    return tw_err_at(err, TW_EINVAL, tw_conf_file(config->document), line, column, "%s",
                     text);
}

int tw_config_fail(const tw_config *config, const json_t *node, tw_err *err,
                   const char *format, ...)
{
    int line = 0, column = 0;
    va_list ap;

    tw_conf_where(config->document, node, &line, &column);
    va_start(ap, format);
    int rc = fail_at(config, line, column, err, format, ap);
    va_end(ap);
    return rc;
}

int tw_config_fail_key(const tw_config *config, const json_t *object, const char *key,
                       tw_err *err, const char *format, ...)
{
    int line = 0, column = 0;
    va_list ap;

    if (!tw_conf_where_key(config->document, object, key, &line, &column))
        tw_conf_where(config->document, object, &line, &column);
    va_start(ap, format);
    int rc = fail_at(config, line, column, err, format, ap);
    va_end(ap);
    return rc;
}

/* ---- small readers ----------------------------------------------------------------- */

static json_t *root_of(const tw_config *config)
{
    return tw_conf_root(config->document);
}

/* Names are labels of metrics, names of topics and of files. */
int tw_config_check_name(const tw_config *config, const json_t *object, const char *noun,
                         const char *name, tw_err *err)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
            return tw_config_fail_key(
                config, object, name, err,
                "the name of %s '%s' may have letters, digits, '_', "
                "'-' and '.' only",
                noun, name);
    }
    if (n == 0 || n > NAME_BYTES)
        return tw_config_fail_key(config, object, name, err,
                                  "the name of a %s must have 1 to %d letters", noun,
                                  NAME_BYTES);
    return TW_OK;
}

int tw_config_read_ms(const tw_config *config, const json_t *object, const char *key,
                      int64_t min_ms, int64_t *out_ms, tw_err *err)
{
    int64_t ms = tw_conf_ms(object, key);

    if (ms < min_ms)
        return tw_config_fail(config, json_object_get(object, key), err,
                              "'%s' must be at least %lldms", key, (long long)min_ms);
    if (ms > LONGEST_MS)
        return tw_config_fail(config, json_object_get(object, key), err,
                              "'%s' must be at most 366d", key);
    *out_ms = ms;
    return TW_OK;
}

int tw_config_read_bytes(const tw_config *config, const json_t *object, const char *key,
                         int64_t min_kib, int64_t max_mib, size_t *out_bytes, tw_err *err)
{
    int64_t bytes = tw_conf_bytes(object, key);

    if (bytes < min_kib * KIB || bytes > max_mib * MIB)
        return tw_config_fail(config, json_object_get(object, key), err,
                              "'%s' must be between %lldKiB and %lldMiB", key,
                              (long long)min_kib, (long long)max_mib);
    *out_bytes = (size_t)bytes;
    return TW_OK;
}

int tw_config_read_path(const tw_config *config, const json_t *node, const char *key,
                        char **out_path, tw_err *err)
{
    const char *path = json_string_value(node);
    const char *slash = strrchr(config->path, '/');

    if (!*path)
        return tw_config_fail(config, node, err, "'%s' is an empty path", key);
    if (*path == '/' || !slash)
        *out_path = tw_strdup(path);
    else
        *out_path =
            tw_asprintf("%.*s/%s", (int)(slash - config->path), config->path, path);
    return TW_OK;
}

static int read_paths(const tw_config *config, const json_t *list, const char *key,
                      char ***out_paths, uint32_t *count, tw_err *err)
{
    *out_paths = tw_calloc(json_array_size(list) + 1, sizeof **out_paths);
    for (size_t i = 0; i < json_array_size(list); i++) {
        int rc = tw_config_read_path(config, json_array_get(list, i), key,
                                     &(*out_paths)[*count], err);
        if (rc < 0)
            return rc;
        ++*count;
    }
    return TW_OK;
}

/* Settings are the plugin's, but for being a map. */
static int read_settings(const tw_config *config, json_t *object, json_t **out_settings,
                         tw_err *err)
{
    json_t *settings = json_object_get(object, "settings");

    if (json_is_null(settings)) {
        json_object_set_new(object, "settings", json_object());
        settings = json_object_get(object, "settings");
    }
    if (!json_is_object(settings))
        return tw_config_fail_key(config, object, "settings", err,
                                  "'settings' must be a map of keys and values");
    *out_settings = settings;
    return TW_OK;
}

/* ---- sources, streams, sinks ----------------------------------------------- */

static int read_sources(tw_config *config, tw_err *err)
{
    json_t *map = json_object_get(root_of(config), "sources"), *node;
    const char *name;
    int rc = TW_OK;

    config->sources = tw_calloc(json_object_size(map) + 1, sizeof *config->sources);
    json_object_foreach(map, name, node)
    {
        tw_config_source *s = &config->sources[config->source_count++];
        s->name = tw_strdup(name);
        s->kind = tw_strdup(tw_conf_str(node, "kind"));
        if ((rc = tw_config_check_name(config, map, "source", name, err)) < 0 ||
            (rc = read_settings(config, node, &s->settings, err)) < 0)
            return rc;
    }
    return rc;
}

int tw_config_find_source(const tw_config *config, const json_t *node, const char *noun,
                          const char *name, uint32_t *out_number, tw_err *err)
{
    const char *source = tw_conf_str(node, "source");
    const char **names = tw_calloc(config->source_count + 1, sizeof *names);
    int rc = TW_ENOTFOUND;

    for (uint32_t i = 0; i < config->source_count; i++) {
        names[i] = config->sources[i].name;
        if (strcmp(source, names[i]) == 0) {
            *out_number = i;
            rc = TW_OK;
        }
    }
    if (rc < 0) {
        const char *nearest = tw_nearest(source, names, config->source_count);
        rc = tw_config_fail(config, json_object_get(node, "source"), err,
                            "%s '%s' reads from source '%s', which does not exist"
                            "%s%s%s",
                            noun, name, source, nearest ? " (did you mean '" : "",
                            nearest ? nearest : "", nearest ? "'?)" : "");
    }
    tw_free(names);
    return rc;
}

static const tw_config_stream *stream_of_topic(const tw_config *config, uint32_t source,
                                               const char *topic)
{
    for (uint32_t i = 0; i < config->stream_count; i++) {
        const tw_config_stream *s = &config->streams[i];
        for (uint32_t k = 0; s->source == source && k < s->topic_count; k++) {
            if (strcmp(s->topics[k], topic) == 0)
                return s;
        }
    }
    return NULL;
}

/* s is the last stream and has no topics yet. A record belongs to one stream. */
static int read_topics(tw_config *config, tw_config_stream *s, json_t *node, tw_err *err)
{
    json_t *topics = json_object_get(node, "topics");

    if (!topics) {
        json_object_set_new(node, "topics", json_pack("[s]", s->name));
        topics = json_object_get(node, "topics");
    }
    if (!json_array_size(topics))
        return tw_config_fail_key(config, node, "topics", err,
                                  "stream '%s' has no topics", s->name);
    s->topics = tw_calloc(json_array_size(topics), sizeof *s->topics);
    for (size_t i = 0; i < json_array_size(topics); i++) {
        const json_t *item = json_array_get(topics, i);
        const char *topic = json_string_value(item);
        const tw_config_stream *other = stream_of_topic(config, s->source, topic);
        if (!*topic)
            return tw_config_fail(config, item, err, "a topic without a name");
        if (other == s)
            return tw_config_fail(config, item, err, "topic '%s' is listed twice", topic);
        if (other && tw_conf_where(config->document, item, &(int){0}, &(int){0}))
            return tw_config_fail(config, item, err,
                                  "topic '%s' of source '%s' already belongs to stream "
                                  "'%s'; one stream takes it, rules share the stream",
                                  topic, config->sources[s->source].name, other->name);
        if (other)
            return tw_config_fail_key(
                config, json_object_get(root_of(config), "streams"), s->name, err,
                "topic '%s' (a stream without 'topics' reads the one of its own name) "
                "already belongs to stream '%s'",
                topic, other->name);
        s->topics[s->topic_count++] = tw_strdup(topic);
    }
    return TW_OK;
}

static int read_field_path(const tw_config *config, const json_t *node, const char *key,
                           char **out_path, tw_err *err)
{
    const char *path = tw_conf_str(node, key);
    tw_err why = {0};

    if (!path)
        return TW_OK;
    tw_fields *fields = tw_fields_new();
    int slot = tw_fields_slot(fields, path, &why);
    tw_fields_free(fields);
    if (slot < 0)
        return tw_config_fail(config, json_object_get(node, key), err, "'%s': %s", key,
                              why.text);
    if (slot < TW_SLOT_FIRST_FIELD)
        return tw_config_fail(config, json_object_get(node, key), err,
                              "'%s' must name a field of the event; '%s' is not one", key,
                              path);
    *out_path = tw_strdup(path);
    return TW_OK;
}

static int read_stream(tw_config *config, json_t *map, const char *name, json_t *node,
                       tw_err *err)
{
    tw_config_stream *s = &config->streams[config->stream_count++];
    int rc;

    *s = (tw_config_stream){.name = tw_strdup(name),
                            .format = strcmp(tw_conf_str(node, "format"), "text") == 0
                                          ? TW_FORMAT_TEXT
                                          : TW_FORMAT_JSON};
    if ((rc = tw_config_check_name(config, map, "stream", name, err)) < 0 ||
        (rc = tw_config_find_source(config, node, "stream", name, &s->source, err)) < 0 ||
        (rc = read_topics(config, s, node, err)) < 0 ||
        (rc = read_field_path(config, node, "time", &s->time_path, err)) < 0 ||
        (rc = read_field_path(config, node, "key", &s->key_path, err)) < 0 ||
        (rc = tw_config_read_changes(config, s, node, err)) < 0 ||
        (rc = tw_config_read_declared(config, s, node, err)) < 0)
        return rc;
    if ((rc = tw_config_read_ms(config, node, "future", 0, &s->future_ms, err)) < 0)
        return rc;
    return tw_config_read_ms(config, node, "align", 0, &s->align_ms, err);
}

static int read_streams(tw_config *config, tw_err *err)
{
    json_t *map = json_object_get(root_of(config), "streams"), *node;
    const char *name;

    config->streams = tw_calloc(json_object_size(map) + 1, sizeof *config->streams);
    json_object_foreach(map, name, node)
    {
        int rc = read_stream(config, map, name, node, err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static int read_sink(tw_config *config, json_t *map, const char *name, json_t *node,
                     tw_err *err)
{
    tw_config_sink *s = &config->sinks[config->sink_count++];
    int rc;

    s->name = tw_strdup(name);
    s->kind = tw_strdup(tw_conf_str(node, "kind"));
    s->queue = (uint32_t)tw_conf_int(node, "queue");
    if ((rc = tw_config_check_name(config, map, "sink", name, err)) < 0 ||
        (rc = read_settings(config, node, &s->settings, err)) < 0 ||
        (rc = tw_config_read_ms(config, node, "max_age", 1, &s->max_age_ms, err)) < 0 ||
        (rc = tw_config_read_ms(config, node, "pause", 0, &s->pause_ms, err)) < 0 ||
        (rc = tw_config_read_ms(config, node, "timeout", 1, &s->timeout_ms, err)) < 0 ||
        (rc = tw_config_read_ms(config, node, "backoff", 1, &s->backoff_ms, err)) < 0 ||
        (rc = tw_config_read_ms(config, node, "backoff_max", 1, &s->backoff_max_ms,
                                err)) < 0)
        return rc;
    if (s->backoff_ms > s->backoff_max_ms)
        return tw_config_fail_key(
            config, node, "backoff", err,
            "'backoff' (%s) of sink '%s' is above its 'backoff_max' "
            "(%s)",
            tw_conf_str(node, "backoff"), name, tw_conf_str(node, "backoff_max"));
    return TW_OK;
}

static int read_sinks(tw_config *config, tw_err *err)
{
    json_t *map = json_object_get(root_of(config), "sinks"), *node;
    const char *name;

    config->sinks = tw_calloc(json_object_size(map) + 1, sizeof *config->sinks);
    json_object_foreach(map, name, node)
    {
        int rc = read_sink(config, map, name, node, err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

/* ---- the rest ---------------------------------------------------------------------- */

static int read_rules(tw_config *config, tw_err *err)
{
    const json_t *rules = json_object_get(root_of(config), "rules");
    const json_t *limits = json_object_get(rules, "limits");
    int rc = read_paths(config, json_object_get(rules, "paths"), "paths",
                        &config->rule_paths, &config->rule_path_count, err);

    config->rules_watch = tw_conf_bool(rules, "watch");
    config->rule_params = json_object_get(rules, "params");
    if (rc < 0 ||
        (rc = tw_config_read_bytes(config, limits, "memory", 1024, 1024,
                                   &config->rule_memory_bytes, err)) < 0 ||
        (rc = tw_config_read_ms(config, limits, "cpu", 1, &config->rule_cpu_ms, err)) < 0)
        return rc;
    if ((rc = tw_config_read_ms(config, limits, "load_cpu", 1, &config->rule_load_cpu_ms,
                                err)) < 0)
        return rc;
    if (config->rule_cpu_ms > 10000)
        return tw_config_fail(config, json_object_get(limits, "cpu"), err,
                              "'cpu' must be at most 10s");
    if (config->rule_load_cpu_ms > 60000)
        return tw_config_fail(config, json_object_get(limits, "load_cpu"), err,
                              "'load_cpu' must be at most 1m");
    return TW_OK;
}

static int read_limits(tw_config *config, tw_err *err)
{
    const json_t *limits = json_object_get(root_of(config), "limits");

    config->limits.depth = (uint32_t)tw_conf_int(limits, "depth");
    config->limits.fields = (uint32_t)tw_conf_int(limits, "fields");
    config->limits.events = (uint32_t)tw_conf_int(limits, "events");
    return tw_config_read_bytes(config, limits, "record", 1, 256,
                                &config->limits.size_bytes, err);
}

static int read_times(tw_config *config, tw_err *err)
{
    const json_t *root = root_of(config);
    int rc = tw_config_read_ms(config, json_object_get(root, "shutdown"), "drain", 0,
                               &config->drain_ms, err);

    if (rc < 0)
        return rc;
    return tw_config_read_ms(config, json_object_get(root, "positions"), "commit", 100,
                             &config->commit_ms, err);
}

static int read_engine(tw_config *config, tw_err *err)
{
    const json_t *root = root_of(config), *log = json_object_get(root, "log");
    const json_t *state_dir = json_object_get(root, "state_dir");

    config->lanes = (uint32_t)tw_conf_int(root, "lanes");
    tw_log_level_parse(tw_conf_str(log, "level"), &config->log_level);
    tw_log_format_parse(tw_conf_str(log, "format"), &config->log_format);
    if (state_dir) {
        int rc =
            tw_config_read_path(config, state_dir, "state_dir", &config->state_dir, err);
        if (rc < 0)
            return rc;
    }
    return read_paths(config, json_object_get(root, "plugins"), "plugins",
                      &config->plugin_dirs, &config->plugin_dir_count, err);
}

typedef int (*part_reader)(tw_config *config, tw_err *err);

/* What rests on others stands behind them. */
static const struct {
    part_reader read;
    part_reader rests_on; /* one that stands before it; NULL: none */
} parts[] = {
    {read_engine, NULL},
    {tw_config_read_control, NULL},
    {read_sources, NULL},
    {read_streams, read_sources},
    {tw_config_read_tables, read_sources},
    {read_rules, NULL},
    {read_sinks, NULL},
    {tw_config_read_routes, read_sinks},
    {read_limits, NULL},
    {tw_config_read_context, NULL},
    {read_times, NULL},
};
enum { PART_COUNT = sizeof parts / sizeof *parts };

int tw_config_read(tw_config *config, tw_err *err)
{
    int rc = TW_OK;

    for (size_t i = 0; i < PART_COUNT && rc == TW_OK; i++)
        rc = parts[i].read(config, err);
    return rc;
}

bool tw_config_read_all(tw_config *config, tw_findings *out)
{
    part_reader broken[PART_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < PART_COUNT; i++) {
        tw_err err = {0};
        bool rests_on_broken = false;
        for (size_t k = 0; k < count; k++)
            rests_on_broken = rests_on_broken || parts[i].rests_on == broken[k];
        if (rests_on_broken || parts[i].read(config, &err) == TW_OK)
            continue;
        tw_findings_add(out, &err, false);
        broken[count++] = parts[i].read;
    }
    return count == 0;
}
