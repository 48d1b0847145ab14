// SPDX-License-Identifier: Apache-2.0
/* The life of a configuration and what others ask of it; reading one is in config_read.c. Shore
 * thread. Owns the document, which everything borrowed points into. */
#include "config.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "config_impl.h"
#include "host/plugin.h"
#include "rule/findings.h"

#define MAX_LANES 64

/* Defaults that depend on the machine. */
static void fill_in(json_t *root)
{
    if (!json_object_get(root, "lanes")) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        cores = cores < 1 ? 1 : cores > MAX_LANES ? MAX_LANES : cores;
        json_object_set_new(root, "lanes", json_integer(cores));
    }
    if (!json_object_get(root, "plugins")) {
        char *dir = tw_plugins_default_dir();
        json_object_set_new(root, "plugins", json_pack("[s]", dir));
        tw_free(dir);
    }
}

/* Nothing of it is read yet. Takes the document. */
static tw_config *around(tw_conf *document)
{
    tw_config *config = tw_alloc(sizeof *config);

    config->document = document;
    config->path = tw_strdup(tw_conf_file(document));
    config->as_written =
        tw_conf_redacted(document, tw_conf_root(document), tw_config_fields);
    return config;
}

static void on_found(void *findings, const tw_err *err)
{
    tw_findings_add(findings, err, false);
}

tw_config *tw_config_load_all(const char *path, tw_findings *out)
{
    tw_err err = {0};
    size_t before = out->count;
    tw_conf *document = tw_conf_load(path, &err);

    if (!document) {
        tw_findings_add(out, &err, false);
        return NULL;
    }
    tw_config *config = around(document);
    json_t *root = tw_conf_root(document);
    config->is_file = true;
    if (tw_conf_check_all(document, root, tw_config_fields, on_found, out) == 0) {
        fill_in(root);
        if (tw_config_read_all(config, out))
            return config;
    }
    tw_findings_sort(out, before);
    tw_config_free(config);
    return NULL;
}

/* Takes the document. */
static tw_config *from_document(tw_conf *document, tw_err *err)
{
    tw_config *config = around(document);
    json_t *root = tw_conf_root(document);

    if (tw_conf_check(document, root, tw_config_fields, err) < 0)
        goto fail;
    fill_in(root);
    if (tw_config_read(config, err) < 0)
        goto fail;
    return config;

fail:
    tw_config_free(config);
    return NULL;
}

tw_config *tw_config_load(const char *path, tw_err *err)
{
    tw_conf *document = tw_conf_load(path, err);

    tw_config *config = document ? from_document(document, err) : NULL;
    if (config)
        config->is_file = true;
    return config;
}

tw_config *tw_config_parse(const char *text, size_t n, const char *name, tw_err *err)
{
    tw_conf *document = tw_conf_parse(text, n, name, err);

    return document ? from_document(document, err) : NULL;
}

static void free_texts(char **texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tw_free(texts[i]);
    tw_free(texts);
}

static void free_inputs(tw_config *config)
{
    for (uint32_t i = 0; i < config->source_count; i++) {
        tw_free(config->sources[i].name);
        tw_free(config->sources[i].kind);
    }
    for (uint32_t i = 0; i < config->stream_count; i++) {
        tw_config_stream *s = &config->streams[i];
        tw_free(s->name);
        free_texts(s->topics, s->topic_count);
        tw_free(s->time_path);
        tw_free(s->key_path);
        free_texts(s->change_of, s->change_of_count);
        tw_declared_free(s->declared);
    }
    for (uint32_t i = 0; i < config->table_count; i++) {
        tw_free(config->tables[i].name);
        tw_free(config->tables[i].path);
        tw_free(config->tables[i].topic);
    }
    tw_free(config->sources);
    tw_free(config->streams);
    tw_free(config->tables);
}

static void free_outputs(tw_config *config)
{
    for (uint32_t i = 0; i < config->sink_count; i++) {
        tw_free(config->sinks[i].name);
        tw_free(config->sinks[i].kind);
    }
    for (uint32_t i = 0; i < config->route_count; i++) {
        tw_free(config->routes[i].pattern);
        tw_free(config->routes[i].sinks);
    }
    tw_free(config->sinks);
    tw_free(config->routes);
}

void tw_config_free(tw_config *config)
{
    if (!config)
        return;
    free_inputs(config);
    free_outputs(config);
    free_texts(config->plugin_dirs, config->plugin_dir_count);
    free_texts(config->rule_paths, config->rule_path_count);
    tw_free(config->state_dir);
    tw_free(config->control_host);
    tw_free(config->control_token);
    tw_free(config->path);
    json_decref(config->as_written);
    tw_conf_free(config->document);
    tw_free(config);
}

/* ---- for people -------------------------------------------------------------------- */

/* Plugins know which of their settings are secret, this file does not: it goes by the name. */
static bool sounds_secret(const char *key)
{
    static const char *const words[] = {
        "password",    "passphrase", "secret",  "token",         "credential",
        "api_key",     "apikey",     "api-key", "authorization", "access_key",
        "routing_key", "key.pem",    "key_pem", "private_key"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(key, words[i]))
            return true;
    }
    return false;
}

static void hide_secrets(json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;
    void *next;

    json_array_foreach(node, i, value) hide_secrets(value);
    json_object_foreach_safe(node, next, key, value)
    {
        if (json_is_object(value))
            hide_secrets(value);
        else if (sounds_secret(key) && !json_is_null(value) && !json_is_boolean(value))
            json_object_set_new(node, key, json_string("<secret>"));
        else
            hide_secrets(value);
    }
}

static json_t *hide_in_settings(json_t *root)
{
    static const char *const maps[] = {"sources", "sinks"};
    const char *name;
    json_t *entry;

    for (size_t i = 0; i < 2; i++) {
        json_t *map = json_object_get(root, maps[i]);
        json_object_foreach(map, name, entry)
            hide_secrets(json_object_get(entry, "settings"));
    }
    return root;
}

/* Keys of the file's top in the order of the schema, which is the order of the river. */
static json_t *in_order(json_t *root)
{
    json_t *ordered = json_object();

    for (const tw_conf_field *f = tw_config_fields; f->name; f++) {
        json_t *value = json_object_get(root, f->name);
        if (value)
            json_object_set(ordered, f->name, value);
    }
    json_decref(root);
    return ordered;
}

json_t *tw_config_effective(const tw_config *config)
{
    const json_t *root = tw_conf_root(config->document);

    return hide_in_settings(
        in_order(tw_conf_redacted(config->document, root, tw_config_fields)));
}

json_t *tw_config_as_written(const tw_config *config)
{
    return hide_in_settings(json_deep_copy(config->as_written));
}

json_t *tw_config_json_schema(void)
{
    json_t *schema = tw_conf_schema(tw_config_fields);

    json_object_set_new(schema, "title", json_string("tidewatch configuration"));
    return schema;
}

/* ---- for the engine ---------------------------------------------------------------- */

tw_streams *tw_config_streams(const tw_config *config)
{
    tw_streams *streams = tw_streams_new();

    for (uint32_t i = 0; i < config->stream_count; i++) {
        const tw_config_stream *s = &config->streams[i];
        tw_stream *stream = tw_streams_add(streams, s->name);
        stream->format = s->format;
        stream->time_path = tw_strdup(s->time_path);
        stream->key_path = tw_strdup(s->key_path);
        stream->future_ms = s->future_ms;
        stream->align_ms = s->align_ms;
        stream->changes = s->changes;
        stream->declared = tw_declared_copy(s->declared);
        stream->change_of_count = s->change_of_count;
        if (s->change_of)
            stream->change_of = tw_calloc(s->change_of_count, sizeof *stream->change_of);
        for (uint32_t k = 0; k < s->change_of_count; k++)
            stream->change_of[k] = tw_strdup(s->change_of[k]);
    }
    return streams;
}
